/** When to try again: exponential, capped, fully jittered. */

export const FIRST_DELAY_MS = 500;
export const LONGEST_DELAY_MS = 10_000;

/**
 * A random delay below a doubling ceiling.
 *
 * Full jitter: a thousand viewers that lost one server spread over the whole interval.
 * @param {number} attempt 0 for the first one
 * @param {{firstMs?: number, longestMs?: number, random?: () => number}} [options]
 */
export function fullJitterMs(attempt, { firstMs = FIRST_DELAY_MS, longestMs = LONGEST_DELAY_MS, random = Math.random } = {}) {
  const ceiling = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(random() * ceiling);
}

/**
 * Seconds from a `Retry-After` header, or null.
 * @param {string | null} header seconds or an HTTP date
 * @param {number} [nowMs]
 */
export function retryAfterSeconds(header, nowMs = Date.now()) {
  if (header === null || header.trim() === "") return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, (date - nowMs) / 1000);
}

/**
 * Waits; rejects with the signal's reason when aborted.
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
