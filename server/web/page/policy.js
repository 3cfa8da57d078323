/** What an action asks for, in words. */

import { counted, span } from "./numbers.js";

/**
 * @typedef {{actionId: string, title: string, points: number, minSeconds: number, maxSeconds: number, cooldownSeconds: number,
 *            dailyLimit: number | null, overlap: string, ticket: string, proof: string}} Action
 */

/** @param {Action} action */
export function isInstant({ ticket }) {
  return ticket === "instant";
}

/** A handful of short facts. @param {Action} action @returns {string[]} */
export function policyFacts(action) {
  const { minSeconds, maxSeconds, cooldownSeconds, dailyLimit, overlap, proof } = action;
  const timed = !isInstant(action);
  return [
    timed ? (minSeconds > 0 ? `earliest after ${span(minSeconds)}` : "redeem any time") : "counts at once",
    timed && maxSeconds > 0 ? `expires after ${span(maxSeconds)}` : "",
    cooldownSeconds > 0 ? `${span(cooldownSeconds)} rest between` : "",
    dailyLimit ? (dailyLimit === 1 ? "once a day" : `${counted(dailyLimit, "time")} a day`) : "",
    timed && overlap === "forbid" ? "one at a time" : "",
    proof === "always" ? "with proof of work" : "",
  ].filter((fact) => fact !== "");
}
