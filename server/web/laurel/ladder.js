/** Which transport to use next, and when: no clock, no connection. */

import { fullJitterMs } from "./backoff.js";

/** @typedef {"websocket" | "events" | "polling"} Transport best first */

/** Failures in a row after which a transport is left. */
const PATIENCE = { websocket: 3, events: 2, polling: Infinity };
/** Failures in a row after which the server counts as out of reach. */
const OFFLINE_AFTER = 3;
/** Waits between tries to get back up. The first is short: the server may just have returned. */
const CLIMB_AFTER_MS = [1_000, 30_000, 60_000, 120_000, 300_000];

/** Steps down when a transport fails, and up again. */
export class Ladder {
  /** @type {Transport[]} */
  #rungs;
  #rung = 0;
  #failuresHere = 0;
  #failures = 0;
  #climbs = 0;
  #random;

  /**
   * @param {readonly Transport[]} rungs best first
   * @param {() => number} [random]
   */
  constructor(rungs, random = Math.random) {
    this.#rungs = [...rungs];
    this.#random = random;
  }

  /** @returns {Transport} */
  get transport() {
    return this.#rungs[this.#rung];
  }

  get isOffline() {
    return this.#failures >= OFFLINE_AFTER;
  }

  /** Better transports than the present one, best first. */
  get above() {
    return this.#rungs.slice(0, this.#rung);
  }

  /** The present transport delivered. */
  delivered() {
    this.#failures = 0;
    this.#failuresHere = 0;
    if (this.#rung === 0) this.#climbs = 0;
  }

  /** The present transport failed. @returns {number} milliseconds to wait */
  failed() {
    const delayMs = fullJitterMs(this.#failures, { random: this.#random });
    this.#failures += 1;
    this.#failuresHere += 1;
    if (this.#failuresHere >= PATIENCE[this.transport]) this.stepDown();
    return delayMs;
  }

  /** Leaves the present transport for the next one; the last one stays. @returns {boolean} whether there was one */
  stepDown() {
    if (this.#rung === this.#rungs.length - 1) return false;
    this.#rung += 1;
    this.#failuresHere = 0;
    return true;
  }

  /** A wait that was announced, or a network that came back: begin anew. */
  forgive() {
    this.#failures = 0;
    this.#failuresHere = 0;
    this.#climbs = 0;
  }

  /** A transport that cannot work here; the last one stays. @param {Transport} transport */
  drop(transport) {
    const at = this.#rungs.indexOf(transport);
    if (at === -1 || at === this.#rungs.length - 1) return;
    this.#rungs.splice(at, 1);
    if (at < this.#rung) this.#rung -= 1;
    this.#failuresHere = 0;
  }

  /** A better transport delivered while a worse one was in use. @param {Transport} transport */
  climbedTo(transport) {
    this.#rung = Math.max(0, this.#rungs.indexOf(transport));
    this.delivered();
  }

  /** When to try the better ones. @returns {number} milliseconds to wait */
  climbAfterMs() {
    const ceiling = CLIMB_AFTER_MS[Math.min(this.#climbs, CLIMB_AFTER_MS.length - 1)];
    this.#climbs += 1;
    return Math.round(ceiling * (0.5 + this.#random() / 2));
  }
}
