/** The rows of a board, moving to where they belong. */

import { BoardRow } from "./board-row.js";
import { move } from "./motion.js";

/** @typedef {import("../laurel/fold.js").Row} Row */
/** @typedef {import("../laurel/fold.js").Move} Move */

const GLIDE_MS = 650;
const APPEAR_MS = 450;

/**
 * An ordered list keyed by player.
 *
 * First, last, invert, play: each row is put at its new place at once and animated from where it was seen, even in the
 * middle of an earlier move.
 */
export class BoardView {
  #list;
  /** @type {Map<string, BoardRow>} */
  #rows = new Map();

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  /**
   * @param {readonly Row[]} entries
   * @param {readonly Move[]} moves
   * @param {{ownId: string | null, isStill: boolean}} options still: nothing glides, as at a first look
   */
  show(entries, moves, { ownId, isStill }) {
    const seenAt = isStill ? new Map() : this.#places();
    this.#removeAllBut(new Set(entries.map(({ userId }) => userId)), isStill);
    for (const row of entries) {
      const shown = this.#rows.get(row.userId) ?? new BoardRow();
      this.#rows.set(row.userId, shown);
      shown.show(row, row.userId === ownId);
    }
    this.#arrange(entries.map(({ userId }) => this.#element(userId)));
    if (isStill) return;
    for (const [userId, row] of this.#rows) this.#glide(row.element, seenAt.get(userId));
    for (const change of moves) this.#rows.get(change.userId)?.marks(change);
  }

  /** @param {string} userId */
  #element(userId) {
    return /** @type {BoardRow} */ (this.#rows.get(userId)).element;
  }

  /** Moves only what is elsewhere: in a row that stays, a selection and a screen reader keep their place. @param {Element[]} elements */
  #arrange(elements) {
    let next = staying(this.#list.firstElementChild);
    for (const element of elements) {
      if (element === next) next = staying(element.nextElementSibling);
      else this.#list.insertBefore(element, next);
    }
  }

  #places() {
    return new Map([...this.#rows].map(([userId, { element }]) => [userId, element.getBoundingClientRect().top]));
  }

  /** @param {HTMLElement} element @param {number | undefined} seenAt */
  #glide(element, seenAt) {
    for (const animation of element.getAnimations()) if (animation.id === "glide") animation.cancel();
    if (seenAt === undefined) {
      move(element, [{ opacity: 0, transform: "translateX(-1.5rem)" }, { opacity: 1, transform: "none" }], { duration: APPEAR_MS, id: "glide" });
      return;
    }
    const distance = seenAt - element.getBoundingClientRect().top;
    if (Math.abs(distance) < 1) return;
    element.classList.toggle("rising", distance > 0);
    move(element, [{ transform: `translateY(${distance}px)` }, { transform: "none" }], { duration: GLIDE_MS, id: "glide" });
  }

  /** @param {Set<string>} staying @param {boolean} isStill */
  #removeAllBut(staying, isStill) {
    for (const [userId, { element }] of this.#rows) {
      if (staying.has(userId)) continue;
      this.#rows.delete(userId);
      if (isStill) element.remove();
      else this.#leave(element);
    }
  }

  /** Lets it fade where it stood, out of the others' way. @param {HTMLElement} element */
  #leave(element) {
    const { offsetTop, offsetWidth, offsetHeight } = element;
    element.classList.add("leaving");
    element.setAttribute("aria-hidden", "true");
    Object.assign(element.style, { top: `${offsetTop}px`, width: `${offsetWidth}px`, height: `${offsetHeight}px` });
    const away = [{ opacity: 1 }, { opacity: 0, transform: "translateX(2rem)" }];
    move(element, away, { duration: APPEAR_MS, fill: "forwards" }).then(() => element.remove());
  }
}

/** The first of these siblings that is not on its way out. @param {Element | null} element */
function staying(element) {
  while (element?.classList.contains("leaving")) element = element.nextElementSibling;
  return element;
}
