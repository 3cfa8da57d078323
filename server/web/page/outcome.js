/** What came of a redemption, in words and leaves. */

import { celebrate } from "./celebration.js";
import { el, spoken } from "./dom.js";
import { ordinal, score, signed } from "./numbers.js";

/** @typedef {{replayed: boolean, voided?: boolean, change: number, newScore: number, leaderboardPosition: number | null}} Redemption */

/** Speaks to the player: a result, or why not. */
export class Outcome {
  element = el("div", { class: "outcome", role: "status" });

  clear() {
    this.element.replaceChildren();
    this.element.className = "outcome";
  }

  /** @param {string} words @param {boolean} isForNow whether waiting helps */
  refuse(words, isForNow) {
    this.element.className = `outcome ${isForNow ? "later" : "refused"}`;
    this.element.replaceChildren(el("p", {}, words));
  }

  /** @param {string} words */
  note(words) {
    this.element.className = "outcome noted";
    this.element.replaceChildren(el("p", {}, words));
  }

  /** Says what can be seen elsewhere on the card. @param {string} words */
  tell(words) {
    this.element.className = "outcome";
    this.element.replaceChildren(spoken(words));
  }

  /** @param {Redemption} redemption */
  praise({ replayed, voided, change, newScore, leaderboardPosition }) {
    if (voided) return this.refuse("That counted once, but has been taken back since.", false);
    const now = [`${score(newScore)} ${points(newScore)}`, leaderboardPosition === null ? "" : `${ordinal(leaderboardPosition)} overall`];
    const words = `${replayed ? "already counted: " : ""}now ${now.filter((part) => part !== "").join(", ")}`;
    this.element.className = "outcome praised";
    this.element.replaceChildren(el("p", {}, el("b", { class: "change" }, signed(change)), spoken(` ${points(change)},`), " ", words));
    if (!replayed) celebrate(this.element);
  }
}

/** @param {number} count */
function points(count) {
  return Math.abs(count) === 1 ? "point" : "points";
}
