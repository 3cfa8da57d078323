/** One row of the board. */

import { avatar, nameOf } from "./avatar.js";
import { Counter } from "./counter.js";
import { el, picture, spoken } from "./dom.js";
import { move } from "./motion.js";
import { signed } from "./numbers.js";

/** @typedef {import("../laurel/fold.js").Row} Row */
/** @typedef {import("../laurel/fold.js").Move} Move */

/** How long a move stays marked. */
const MARK_MS = 4_000;

/** Keeps one list item in step with one player's row. */
export class BoardRow {
  #rank = el("span", { class: "rank-number" });
  #face = el("span", { class: "face" });
  #name = el("span", { class: "name", dir: "auto" });
  #user = el("span", { class: "user" });
  #mark = el("span", { class: "mark" });
  #number = el("span", { class: "number" });
  #counter = new Counter(this.#number);
  #score = el("span", { class: "score" }, this.#number, spoken(" points"));
  #shown = "";
  #timer = 0;

  constructor() {
    this.element = el(
      "li",
      { class: "row" },
      el("span", { class: "rank" }, spoken("Rank "), this.#rank),
      this.#face,
      el("span", { class: "who" }, this.#name, this.#user),
      this.#mark,
      this.#score,
    );
  }

  /** @param {Row} row @param {boolean} isOwn */
  show(row, isOwn) {
    this.element.dataset.rank = String(row.rank);
    this.element.classList.toggle("own", isOwn);
    if (this.#rank.textContent !== String(row.rank)) this.#rank.textContent = String(row.rank);
    this.#counter.show(row.score);
    this.#profile(row, isOwn);
  }

  /** @param {Row} row @param {boolean} isOwn */
  #profile(row, isOwn) {
    const key = JSON.stringify([row.userId, row.username, row.displayName, row.avatarUrl, isOwn]);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#face.replaceChildren(picture("crown", "crown"), avatar(row));
    this.#name.textContent = nameOf(row);
    this.#user.replaceChildren(...(isOwn ? [el("b", { class: "you" }, "you")] : []), `@${row.username}`);
  }

  /** Marks for a while what has changed. @param {Move} change */
  marks({ from, to, scoreFrom, scoreTo }) {
    if (scoreFrom !== null && scoreTo !== null && scoreFrom !== scoreTo) this.#gain(scoreTo - scoreFrom);
    if (from === to) return;
    const climbed = from === null || (to !== null && to < from);
    this.#mark.className = `mark ${climbed ? "up" : "down"}`;
    this.#mark.replaceChildren(...markOf(from, to));
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#mark.replaceChildren(), MARK_MS);
    if (climbed) move(this.element, [{ backgroundColor: "var(--glow)", offset: 0 }], { duration: 1_800, easing: "ease-out" });
  }

  /** @param {number} change */
  #gain(change) {
    const chip = el("span", { class: "gain", "aria-hidden": "true" }, signed(change));
    this.#score.append(chip);
    const rise = [
      { opacity: 0, transform: "translateY(0.4em)" },
      { opacity: 1, transform: "translateY(-0.1em)", offset: 0.2 },
      { opacity: 1, transform: "translateY(-0.3em)", offset: 0.7 },
      { opacity: 0, transform: "translateY(-0.9em)" },
    ];
    move(chip, rise, { duration: 1_600 }).then(() => chip.remove());
  }
}

/** @param {number | null} from @param {number | null} to @returns {(Node | string)[]} */
function markOf(from, to) {
  if (from === null) return ["new"];
  const steps = Math.abs(from - (to ?? from));
  const isUp = to !== null && to < from;
  return [el("span", { "aria-hidden": "true" }, isUp ? "▲" : "▼"), spoken(isUp ? "up " : "down "), String(steps)];
}
