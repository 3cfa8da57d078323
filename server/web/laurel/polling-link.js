/** The live board by asking again and again. */

import { afterRefusal } from "./close-codes.js";
import { LaurelError } from "./errors.js";
import { Link } from "./link.js";

const POLL_EVERY_MS = 3_000;
/** Spread, so that viewers who lost the same server don't ask in step. */
const POLL_SPREAD = 0.2;

/**
 * `GET …/top` again and again, cheap while nothing changed.
 *
 * Its answers are delivered as snapshots, with `totalUsers` and `degraded` besides.
 */
export class PollingLink extends Link {
  #abort = new AbortController();
  #isAsking = false;
  /** @type {string | null} */
  #etag = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {import("./link.js").LinkContext} context @param {import("./link.js").LinkListener} listener */
  constructor(context, listener) {
    super(context, listener);
    this.#poll();
  }

  async #poll() {
    if (this.#isAsking || this.isOver) return;
    this.#isAsking = true;
    clearTimeout(this.#timer);
    try {
      await this.#ask();
      const spread = 1 + POLL_SPREAD * (2 * Math.random() - 1);
      if (!this.isOver) this.#timer = setTimeout(() => this.#poll(), POLL_EVERY_MS * spread);
    } catch (error) {
      this.fail(afterRefusal(LaurelError.from(error)));
    } finally {
      this.#isAsking = false;
    }
  }

  async #ask() {
    const { http, board } = this.context;
    const token = await this.takeToken();
    const headers = /** @type {Record<string, string>} */ (this.#etag === null ? {} : { "If-None-Match": this.#etag });
    const answer = await http.send("GET", http.address(topPath(board)), { headers, token, signal: this.#abort.signal });
    if (answer.status !== 304) {
      this.#etag = answer.headers.get("ETag");
      this.deliver(asSnapshot(board, answer.body));
    }
    this.ready();
  }

  probe() {
    this.#poll();
  }

  /** The next answer is everything anyway. */
  resume() {
    this.#etag = null;
    this.#poll();
    return true;
  }

  hangUp() {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }
}

/** @param {string} board */
export function topPath(board) {
  return `api/v1/boards/${encodeURIComponent(board)}/top`;
}

/**
 * A top as it was read, in the shape of a pushed snapshot.
 * @param {string} board
 * @param {any} top
 */
export function asSnapshot(board, { period, epoch, version, entries, totalUsers, degraded }) {
  return { type: "leaderboard.snapshot", board, period, epoch, version, data: { entries, totalUsers, degraded } };
}
