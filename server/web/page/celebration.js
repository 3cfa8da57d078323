/** A handful of laurel leaves in the air. */

import { picture } from "./dom.js";
import { isCalm, move } from "./motion.js";

const LEAVES = 16;
const FLIGHT_MS = 1_400;

/** Lets leaves fly up from an element, once. @param {HTMLElement} from positioned */
export function celebrate(from) {
  if (isCalm()) return;
  for (let index = 0; index < LEAVES; index += 1) {
    const leaf = picture("leaf", `leaf leaf-${index % 3}`);
    from.append(leaf);
    fly(leaf, index).then(() => leaf.remove());
  }
}

/** @param {SVGElement} leaf @param {number} index */
function fly(leaf, index) {
  const angle = Math.PI * (0.1 + (0.8 * (index + Math.random())) / LEAVES);
  const reach = 90 + 80 * Math.random();
  const [x, y] = [-Math.cos(angle) * reach, -Math.sin(angle) * reach];
  const turn = 360 * (Math.random() - 0.5);
  const frames = [
    { opacity: 0, transform: "translate(0, 0) rotate(0deg) scale(0.4)" },
    { opacity: 1, transform: `translate(${x * 0.8}px, ${y}px) rotate(${turn}deg) scale(1)`, offset: 0.35 },
    { opacity: 0, transform: `translate(${x * 1.1}px, ${y * 0.2}px) rotate(${turn * 2}deg) scale(0.9)` },
  ];
  return move(leaf, frames, { duration: FLIGHT_MS * (0.8 + 0.4 * Math.random()), easing: "ease-out" });
}
