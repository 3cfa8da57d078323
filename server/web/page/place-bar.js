/** Where I am on this board, wherever that is. */

import { Counter } from "./counter.js";
import { el, spoken } from "./dom.js";
import { counted, ordinal } from "./numbers.js";

/** @typedef {import("../laurel/fold.js").Row} Row */
/** @typedef {{rank: number, score: number, percentile?: number, pointsToNextRank?: number | null, pointsToTop10?: number}} Standing */

/** Asked again at most this often while others move. */
const REFRESH_MS = 8_000;

/** The player's own rank and score, at the foot of the board. */
export class PlaceBar {
  #element;
  #laurel;
  #board = "";
  #rank = el("span", { class: "place-rank" });
  #words = el("span", { class: "place-words" });
  #number = el("span", { class: "number" });
  #counter = new Counter(this.#number);
  #askedAt = -Infinity;
  #timer = 0;

  /** @param {HTMLElement} element @param {import("../laurel.js").Laurel} laurel */
  constructor(element, laurel) {
    this.#element = element;
    this.#laurel = laurel;
    element.append(
      this.#rank,
      el("span", { class: "place-text" }, el("b", {}, "Your place"), this.#words),
      el("span", { class: "score" }, this.#number, spoken(" points")),
    );
  }

  /** Another board, or none. @param {string} board */
  follow(board) {
    if (board === this.#board) return;
    this.#board = board;
    this.#element.hidden = true;
    this.#counter.clear();
    this.refresh();
  }

  /** The top moved: I may have, too. @param {readonly Row[]} entries */
  topMoved(entries) {
    const own = entries.find(({ userId }) => userId === this.#laurel.session.user?.userId);
    if (own !== undefined && !this.#element.hidden) this.#show(standingIn(entries, own));
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.refresh(), Math.max(0, this.#askedAt + REFRESH_MS - performance.now()));
  }

  /** Asks the server; what cannot be asked now stays as it is. */
  async refresh() {
    clearTimeout(this.#timer);
    const { user } = this.#laurel.session;
    if (user === null || this.#board === "") {
      this.#element.hidden = true;
      return;
    }
    this.#askedAt = performance.now();
    const board = this.#board;
    const standing = await this.#laurel.standing(board, user.userId).catch(() => undefined);
    if (standing === undefined || board !== this.#board || this.#laurel.session.user !== user) return;
    this.#show(standing);
  }

  /** @param {Standing | null} standing */
  #show(standing) {
    this.#element.hidden = false;
    this.#element.classList.toggle("unplaced", standing === null);
    if (standing === null) {
      this.#rank.textContent = "–";
      this.#words.textContent = "not on this board yet: play a round";
      this.#counter.clear();
      return;
    }
    this.#rankAndScore(standing);
    this.#words.textContent = hopes(standing);
  }

  /** @param {{rank: number, score: number}} standing */
  #rankAndScore({ rank, score }) {
    this.#rank.textContent = ordinal(rank);
    this.#counter.show(score);
  }
}

/** What the top itself says about one of its rows. @param {readonly Row[]} entries @param {Row} own @returns {Standing} */
function standingIn(entries, { rank, score }) {
  const next = entries.find((row) => row.rank === rank - 1);
  return { rank, score, pointsToNextRank: next === undefined ? null : next.score - score + 1 };
}

/** @param {Standing} standing */
function hopes({ rank, pointsToNextRank, pointsToTop10, percentile }) {
  if (rank === 1) return "nobody is ahead of you";
  if (pointsToTop10) return `${counted(pointsToTop10, "point")} to the top 10`;
  if (pointsToNextRank) return `${counted(pointsToNextRank, "point")} to ${ordinal(rank - 1)} place`;
  return percentile === undefined ? "" : `ahead of ${Math.floor(percentile)} %`;
}
