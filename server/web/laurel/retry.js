/** Repeats what may safely be repeated, within a total time. */

import { fullJitterMs, pause } from "./backoff.js";
import { LaurelError } from "./errors.js";

export const RETRY_WITHIN_MS = 30_000;

/**
 * The first answer that is not a passing failure.
 *
 * Only for requests that may be repeated: redeeming a ticket is one, an instant action with an idempotency key is one.
 * A `Retry-After` is a floor under the delay; when it reaches beyond the total time the failure is thrown at once.
 * @template T
 * @param {(attempt: number) => Promise<T>} ask
 * @param {{withinMs?: number, signal?: AbortSignal, random?: () => number}} [options]
 * @returns {Promise<T>}
 */
export async function repeatedly(ask, { withinMs = RETRY_WITHIN_MS, signal, random } = {}) {
  const deadline = performance.now() + withinMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask(attempt);
    } catch (error) {
      if (!(error instanceof LaurelError) || !error.isPassing) throw error;
      const delayMs = (error.retryAfterSeconds ?? 0) * 1000 + fullJitterMs(attempt, { random });
      if (performance.now() + delayMs > deadline) throw error;
      await pause(delayMs, signal);
    }
  }
}
