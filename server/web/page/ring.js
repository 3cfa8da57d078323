/** A ring that closes as time passes. */

import { el, svg } from "./dom.js";

const RADIUS = 44;
const AROUND = 2 * Math.PI * RADIUS;

/** Progress around a text. */
export class Ring {
  #arc = svg("circle", { class: "ring-arc", cx: 50, cy: 50, r: RADIUS, "stroke-dasharray": AROUND, transform: "rotate(-90 50 50)" });
  #text = el("span", { class: "ring-text" });

  constructor() {
    const track = svg("circle", { class: "ring-track", cx: 50, cy: 50, r: RADIUS });
    const drawing = svg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, track, this.#arc);
    this.element = el("div", { class: "ring" }, drawing, this.#text);
  }

  /** @param {number} part 0 to 1 @param {string} text */
  show(part, text) {
    this.#arc.style.strokeDashoffset = String(AROUND * (1 - Math.min(1, Math.max(0, part))));
    this.element.classList.toggle("full", part >= 1);
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }
}
