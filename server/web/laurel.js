/** Laurel for games and pages: an ES module without dependencies. */

export { Laurel } from "./laurel/client.js";
export { LaurelError } from "./laurel/errors.js";
export { applyUpdate, movesBetween } from "./laurel/fold.js";
export { topHash } from "./laurel/hash.js";
export { repeatedly } from "./laurel/retry.js";
export { LiveBoard } from "./laurel/live-board.js";
export { Ticket } from "./laurel/ticket.js";
