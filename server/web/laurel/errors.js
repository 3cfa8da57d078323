/** What the server, or the way to it, refused. */

/**
 * One refusal: `code` is the stable word.
 *
 * Besides the server's codes there are three of the client's own, with status 0: `unreachable` (no answer came),
 * `timeout` (none came in time) and `unreadable` (the answer was no JSON). They say nothing about what the server did.
 */
export class LaurelError extends Error {
  /**
   * @param {string} code
   * @param {{status?: number, title?: string, detail?: string, retryAfterSeconds?: number | null,
   *          facts?: Record<string, unknown>, cause?: unknown}} [about]
   */
  constructor(code, { status = 0, title = "", detail = "", retryAfterSeconds = null, facts = {}, cause } = {}) {
    super(detail || title || code, { cause });
    this.name = "LaurelError";
    this.code = code;
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.retryAfterSeconds = retryAfterSeconds;
    /** Every other member of the problem document. */
    this.facts = facts;
  }

  /** Any failure as one of ours. @param {unknown} error */
  static from(error) {
    return error instanceof LaurelError ? error : new LaurelError("unreachable", { cause: error });
  }

  /** Whether the same request may succeed a little later. */
  get isPassing() {
    return PASSING_STATUSES.has(this.status) || PASSING_CODES.has(this.code);
  }

  /** Whether the access token is the trouble. */
  get isAboutToken() {
    return this.status === 401 && this.code !== "login_failed";
  }
}

const PASSING_CODES = new Set(["unreachable", "timeout", "unreadable"]);
const PASSING_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

/**
 * A problem document as an error.
 * @param {number} status
 * @param {unknown} body
 * @param {number | null} retryAfterSeconds from the header
 */
export function fromProblem(status, body, retryAfterSeconds) {
  const problem = body !== null && typeof body === "object" ? /** @type {Record<string, unknown>} */ (body) : {};
  const { type: _type, status: _status, code, title, detail, ...facts } = problem;
  const stated = typeof facts.retryAfterSeconds === "number" ? facts.retryAfterSeconds : null;
  return new LaurelError(typeof code === "string" ? code : `http_${status}`, {
    status,
    title: typeof title === "string" ? title : "",
    detail: typeof detail === "string" ? detail : "",
    retryAfterSeconds: retryAfterSeconds ?? stated,
    facts,
  });
}
