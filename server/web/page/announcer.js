/** Tells screen readers what happens on the board, not too often. */

import { nameOf } from "./avatar.js";
import { ordinal, score } from "./numbers.js";

/** @typedef {import("../laurel/fold.js").Row} Row */

const AT_MOST_EVERY_MS = 12_000;

/** Keeps the newest word and says it when it may. */
export class Announcer {
  #region;
  #saidAt = -Infinity;
  #pending = "";
  #timer = 0;
  #leaderId = "";
  /** @type {number | null} */
  #ownRank = null;

  /** @param {HTMLElement} region polite and live */
  constructor(region) {
    this.#region = region;
  }

  /** Another board or player: what is there now is no news. */
  reset() {
    this.#leaderId = "";
    this.#ownRank = null;
    this.#pending = "";
  }

  /** @param {readonly Row[]} entries @param {string | null} ownId */
  board(entries, ownId) {
    const [leader] = entries;
    const own = entries.find(({ userId }) => userId === ownId);
    const news = [
      leader !== undefined && this.#leaderId !== "" && leader.userId !== this.#leaderId
        ? `${nameOf(leader)} now leads with ${score(leader.score)} points.`
        : "",
      own !== undefined && this.#ownRank !== null && own.rank !== this.#ownRank ? `You are now ${ordinal(own.rank)}.` : "",
    ];
    this.#leaderId = leader?.userId ?? "";
    this.#ownRank = own?.rank ?? null;
    const words = news.filter((word) => word !== "").join(" ");
    if (words !== "") this.say(words);
  }

  /** @param {string} words */
  say(words) {
    this.#pending = words;
    clearTimeout(this.#timer);
    const waitMs = Math.max(0, this.#saidAt + AT_MOST_EVERY_MS - performance.now());
    this.#timer = window.setTimeout(() => this.#speak(), waitMs);
  }

  /** Says at once what the visitor waits to hear. @param {string} words */
  sayNow(words) {
    this.#pending = words;
    this.#speak();
  }

  #speak() {
    clearTimeout(this.#timer);
    if (this.#pending === "") return;
    this.#saidAt = performance.now();
    this.#region.textContent = this.#pending;
    this.#pending = "";
  }
}
