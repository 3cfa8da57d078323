/**
 * Laurel for games and pages: an ES module without dependencies.
 *
 *     import { Laurel } from "https://scores.example/web/laurel.js";
 *
 *     const laurel = new Laurel();                       // speaks to where this file came from
 *     await laurel.login("ada", "secret");
 *     const ticket = await laurel.start("quest");        // when the action begins
 *     const { newScore } = await laurel.redeem(ticket);  // when it ends; repeated safely until it is known
 *
 *     const board = laurel.live("global");               // WebSocket, else event stream, else polling
 *     board.addEventListener("change", ({ detail }) => draw(detail.entries, detail.moves));
 */

export { Laurel } from "./laurel/client.js";
export { LaurelError } from "./laurel/errors.js";
export { applyUpdate, movesBetween } from "./laurel/fold.js";
export { topHash } from "./laurel/hash.js";
export { LiveBoard } from "./laurel/live-board.js";
export { repeatedly } from "./laurel/retry.js";
export { Ticket } from "./laurel/ticket.js";
