/** How much the visitor wants to see move. */

const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/** Things that glide, settle late and softly. */
export const SETTLE = "cubic-bezier(0.22, 1, 0.36, 1)";

export function isCalm() {
  return CALM.matches;
}

/**
 * Animates unless calm is wished; resolves when done.
 * @param {Element} element
 * @param {Keyframe[]} frames
 * @param {KeyframeAnimationOptions} options
 */
export async function move(element, frames, options) {
  if (isCalm()) return;
  const animation = element.animate(frames, { easing: SETTLE, ...options });
  await animation.finished.catch(() => null); // cancelled: something newer moves it
}
