/** A number that counts up to its new value. */

import { isCalm } from "./motion.js";
import { score } from "./numbers.js";

const COUNTING_MS = 700;

/** Shows a score in an element. */
export class Counter {
  #element;
  /** @type {number | null} */
  #shown = null;
  #frame = 0;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** @param {number} value */
  show(value) {
    cancelAnimationFrame(this.#frame);
    const from = this.#shown;
    if (from === value) return;
    if (from === null || isCalm() || document.hidden) return this.#write(value);
    const began = performance.now();
    const step = (/** @type {number} */ now) => {
      const part = Math.min(1, Math.max(0, (now - began) / COUNTING_MS));
      const eased = 1 - (1 - part) ** 3;
      this.#write(part === 1 ? value : Math.round(from + (value - from) * eased));
      if (part < 1) this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  /** Shows nothing, and does not count up to what comes next. */
  clear() {
    cancelAnimationFrame(this.#frame);
    this.#shown = null;
    this.#element.textContent = "";
  }

  /** @param {number} value */
  #write(value) {
    this.#shown = value;
    this.#element.textContent = score(value);
  }
}
