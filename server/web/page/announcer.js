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
  /** @type {number | null | undefined} null: not in the top; undefined: not known yet */
  #ownRank;

  /** @param {HTMLElement} region polite and live */
  constructor(region) {
    this.#region = region;
  }

  /** Another board or player: what is there now is no news. */
  reset() {
    this.#leaderId = "";
    this.#ownRank = undefined;
    this.#pending = "";
  }

  /** @param {readonly Row[]} entries @param {string | null} ownId */
  board(entries, ownId) {
    const [leader] = entries;
    const ownRank = entries.find(({ userId }) => userId === ownId)?.rank ?? null;
    const news = [
      leader !== undefined && this.#leaderId !== "" && leader.userId !== this.#leaderId
        ? `${nameOf(leader)} now leads with ${score(leader.score)} points.`
        : "",
      this.#ownRank === undefined || ownRank === this.#ownRank ? "" : ownRank === null ? "You left the top." : `You are now ${ordinal(ownRank)}.`,
    ];
    this.#leaderId = leader?.userId ?? "";
    this.#ownRank = ownRank;
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
