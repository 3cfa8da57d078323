/** What to do after a WebSocket closed. */

/**
 * How a connection ended, and what follows.
 *
 * - `reconnect`: with backoff. `moved`: the server said when, it is no failure. `later`: not by this way before `afterMs`.
 * - `unauthorized`: not again with the same token. `unusable`: not again by this transport. `gone`: not again at all.
 * @typedef {{verdict: "reconnect" | "moved" | "later" | "unauthorized" | "unusable" | "gone", afterMs: number, code: string}} End
 */

/** The longest wait a server may ask for. */
const LONGEST_WAIT_MS = 120_000;
/** The budget of frames is counted over ten seconds. */
const FRAME_BUDGET_MS = 10_000;
const TRY_LATER_MS = 5_000;

/** @type {Record<number, End["verdict"]>} everything else: `reconnect` */
const VERDICTS = { 1001: "moved", 1009: "unusable", 1013: "later", 4400: "unusable", 4401: "unauthorized", 4429: "later" };

/**
 * @param {number} code
 * @param {string} reason
 * @returns {End}
 */
export function afterClose(code, reason) {
  const verdict = VERDICTS[code] ?? "reconnect";
  const stated = statedWaitMs(reason);
  const end = { verdict, afterMs: stated ?? 0, code: `closed_${code}` };
  if (verdict === "moved" && stated === null) return { ...end, verdict: "reconnect" };
  if (verdict === "later") return { ...end, afterMs: stated ?? (code === 4429 ? FRAME_BUDGET_MS : TRY_LATER_MS) };
  return end;
}

/**
 * @param {import("./errors.js").LaurelError} error of an HTTP request
 * @returns {End}
 */
export function afterRefusal(error) {
  const afterMs = Math.min((error.retryAfterSeconds ?? 0) * 1000, LONGEST_WAIT_MS);
  const end = { afterMs, code: error.code };
  if (error.isAboutToken) return { ...end, verdict: "unauthorized" };
  if (error.status === 404 && error.code === "not_found") return { ...end, verdict: "gone" };
  if (error.isPassing) return { ...end, verdict: afterMs > 0 ? "later" : "reconnect" };
  return { ...end, verdict: "unusable" };
}

/** @param {string} reason @returns {number | null} */
function statedWaitMs(reason) {
  try {
    const wait = JSON.parse(reason)?.reconnectAfterMs;
    return typeof wait === "number" && wait >= 0 ? Math.min(wait, LONGEST_WAIT_MS) : null;
  } catch {
    return null;
  }
}
