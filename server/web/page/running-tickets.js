/** Tickets under way, kept for as long as the session. */

import { Ticket } from "../laurel.js";
import { Shelf } from "./shelf.js";

/** @typedef {Record<string, {ticket: object | null, countedAtMs: number | null}>} Known */

/** By player and action: at most one under way, and when the last one counted. */
export class RunningTickets {
  #keeper;
  #shelf = new Shelf("laurel.tickets");
  /** @type {Known} */
  #all = this.#shelf.read() ?? {};

  /** @param {import("./session-keeper.js").SessionKeeper} keeper */
  constructor(keeper) {
    this.#keeper = keeper;
  }

  /** Puts them where the session is. */
  keep() {
    this.#write(this.#read());
  }

  /** @param {string} userId @param {string} actionId @returns {Ticket | null} null when none, or when it has expired */
  find(userId, actionId) {
    const facts = this.#all[keyOf(userId, actionId)]?.ticket;
    if (!facts) return null;
    const ticket = new Ticket(/** @type {import("../laurel/ticket.js").TicketFacts} */ (facts));
    return ticket.expiresInMs() > 0 ? ticket : null;
  }

  /** @param {string} userId @param {Ticket} ticket */
  started(userId, ticket) {
    this.#put(userId, ticket.actionId, { ticket });
  }

  /** @param {string} userId @param {string} actionId */
  dropped(userId, actionId) {
    this.#put(userId, actionId, { ticket: null });
  }

  /** @param {string} userId @param {string} actionId */
  counted(userId, actionId) {
    this.#put(userId, actionId, { ticket: null, countedAtMs: Date.now() });
  }

  /**
   * Milliseconds of rest left, as far as this tab knows.
   * @param {string} userId
   * @param {{actionId: string, cooldownSeconds: number}} action
   */
  restMs(userId, { actionId, cooldownSeconds }) {
    const countedAt = this.#all[keyOf(userId, actionId)]?.countedAtMs;
    return countedAt ? Math.max(0, countedAt + cooldownSeconds * 1000 - Date.now()) : 0;
  }

  /** @param {string} userId @param {string} actionId @param {object} change */
  #put(userId, actionId, change) {
    const key = keyOf(userId, actionId);
    const all = this.#read();
    this.#write({ ...all, [key]: { ticket: null, countedAtMs: null, ...all[key], ...change } });
  }

  /** With what other tabs have put there. */
  #read() {
    return { ...this.#all, ...this.#shelf.read() };
  }

  /** @param {Known} all */
  #write(all) {
    this.#all = all;
    this.#shelf.write(all, this.#keeper.isKept);
  }
}

/** @param {string} userId @param {string} actionId */
function keyOf(userId, actionId) {
  return `${userId} ${actionId}`;
}
