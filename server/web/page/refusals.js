/** Each refusal in a friendly sentence. */

import { counted, spanInFull } from "./numbers.js";

/** @typedef {import("../laurel.js").LaurelError} LaurelError */
/** @typedef {{minSeconds?: number, maxSeconds?: number, cooldownSeconds?: number, dailyLimit?: number | null, title?: string}} Action */

/** @type {Record<string, (error: LaurelError, action: Action) => string>} */
const SENTENCES = {
  invalid_request: (error) => fieldRefusal(error.detail) ?? (plain(error.detail) || "The server could not make sense of that."),
  login_failed: () => "That name and password don’t belong together.",
  token_missing: () => "Please sign in first.",
  token_invalid: () => "Your session has ended. Please sign in again.",
  token_expired: () => "Your session has ended. Please sign in again.",
  ticket_forged: () => "This server did not issue that ticket.",
  ticket_not_yours: () => "That ticket belongs to another player.",
  forbidden: () => "You may not do that.",
  player_banned: (error) => banned(error),
  proof_required: () => "The proof of work did not arrive in time. Start again, and it is worked out anew.",
  proof_unsupported: () => "This action asks for a proof of work, which needs a secure connection (https).",
  not_found: () => "That is no longer here.",
  action_unknown: () => "This action no longer exists.",
  ticket_expired: (_error, { maxSeconds }) =>
    maxSeconds ? `Too late: this ticket was good for ${spanInFull(maxSeconds)}. Start again.` : "Too late: this ticket has expired. Start again.",
  ticket_too_early: (error) => `Too fast to be true. ${againIn(error, "Redeem it") ?? "Try again in a moment."}`,
  ticket_overlaps: () => "You have redeemed another one since, so this ticket is void: one at a time.",
  cooldown: (error, { cooldownSeconds }) =>
    againIn(error, "Take a breath: again") ?? `Take a breath: ${spanInFull(cooldownSeconds ?? 0)} of rest between two rounds.`,
  daily_limit: (error, { dailyLimit }) =>
    `That was it for today${dailyLimit ? `: ${counted(dailyLimit, "time")} a day` : ""}. ${againIn(error) ?? "The day begins anew at midnight UTC."}`,
  action_disabled: () => "This action is switched off at the moment.",
  conflict: (error) => plain(error.detail) || "That has changed in the meantime.",
  too_large: () => "That was too long.",
  rate_limited: (error) => `That was a lot at once. ${againIn(error) ?? "Try again in a moment."}`,
  busy: () => "The server is busy. Nothing is lost; try again in a moment.",
  database_unavailable: () => "The ledger is out of reach right now. Nothing is lost; try again in a moment.",
  unreachable: () => "The server is out of reach. Nothing is lost; try again in a moment.",
  timeout: () => "The server took too long to answer. Nothing is lost; try again in a moment.",
};

/**
 * What to tell the player.
 * @param {LaurelError} error
 * @param {Action} [action]
 */
export function refusal(error, action = {}) {
  return SENTENCES[error.code]?.(error, action) ?? (plain(error.detail) || "Something went wrong. Try again in a moment.");
}

/** A failure while registering or signing in. @param {LaurelError} error @param {boolean} isNew */
export function entryRefusal(error, isNew) {
  if (error.code === "conflict" && isNew) return "That name is taken. Choose another, or sign in if it is yours.";
  return refusal(error);
}

/** Whether the ticket may still be redeemed after this. @param {LaurelError} error */
export function leavesTicketAlive(error) {
  return error.isPassing || error.isAboutToken || ["ticket_too_early", "cooldown", "player_banned"].includes(error.code);
}

/** Whether it is only a matter of time. @param {LaurelError} error */
export function passesByWaiting(error) {
  return error.isPassing || ["ticket_too_early", "cooldown", "daily_limit"].includes(error.code);
}

/** Seconds to wait: a refused ticket states `waitMs`, a refused request `Retry-After`. @param {LaurelError} error */
function secondsToWait({ retryAfterSeconds, facts }) {
  return typeof facts.waitMs === "number" ? facts.waitMs / 1000 : retryAfterSeconds;
}

/** @param {LaurelError} error @param {string} [begin] */
function againIn(error, begin = "Again") {
  const seconds = secondsToWait(error);
  return seconds === null ? null : `${begin} in ${spanInFull(Math.max(1, seconds))}.`;
}

/** @type {Record<string, string>} */
const FIELDS = { displayName: "shown name", password: "password" };

/** What a validator said of a form's field, in plain words. @param {string} detail */
function fieldRefusal(detail) {
  const name = /\$\.(\w+)/.exec(detail)?.[1] ?? "";
  if (name === "username") return "A name has up to 64 letters, digits and . _ @ + -";
  const field = FIELDS[name];
  if (field === undefined) return null;
  const [, bound, length] = /length (>=|<=) (\d+)/.exec(detail) ?? [];
  if (bound === undefined) return `That ${field} has characters or a form that is not allowed here.`;
  return `The ${field} needs ${bound === ">=" ? "at least" : "at most"} ${counted(Number(length), "character")}.`;
}

/** @param {LaurelError} error */
function banned({ facts }) {
  const reason = typeof facts.reason === "string" && facts.reason !== "" ? ` Reason: ${facts.reason}.` : "";
  const until = typeof facts.until === "string" ? ` until ${new Date(facts.until).toLocaleString("en-GB")}` : "";
  return `This account is suspended${until}.${reason} You can still watch.`;
}

/** A detail as a sentence. @param {string} detail */
function plain(detail) {
  return detail === "" || /[.!?]$/.test(detail) ? detail : `${detail}.`;
}
