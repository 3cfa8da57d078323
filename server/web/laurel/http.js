/** One JSON request and its answer. */

import { retryAfterSeconds } from "./backoff.js";
import { LaurelError, fromProblem } from "./errors.js";

export const ANSWER_WITHIN_MS = 10_000;

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {Headers} headers
 * @property {any} body decoded JSON, null when there is none
 */

/**
 * @typedef {object} RequestOptions
 * @property {unknown} [body]
 * @property {Record<string, string>} [headers]
 * @property {string | null} [token]
 * @property {AbortSignal} [signal]
 * @property {number} [withinMs]
 */

/** Speaks JSON with one Laurel server. */
export class Http {
  /** @param {string | URL} baseUrl where the server's `/` is */
  constructor(baseUrl) {
    this.baseUrl = new URL(baseUrl, globalThis.location?.href);
    if (!this.baseUrl.pathname.endsWith("/")) this.baseUrl.pathname += "/";
  }

  /**
   * The absolute address of a route.
   * @param {string} path without a leading slash
   * @param {Record<string, string | number | null | undefined>} [query]
   */
  address(path, query = {}) {
    const url = new URL(path, this.baseUrl);
    for (const [name, value] of Object.entries(query)) {
      if (value !== null && value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  /**
   * The answer, or a LaurelError; an abort is rethrown as it is.
   * @param {string} method
   * @param {URL} url
   * @param {RequestOptions} [options]
   * @returns {Promise<Answer>}
   */
  async send(method, url, { body, headers = {}, token = null, signal, withinMs = ANSWER_WITHIN_MS } = {}) {
    const clock = new AbortController();
    const timer = setTimeout(() => clock.abort(), withinMs);
    const stop = () => clock.abort();
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const response = await fetch(url, {
        method,
        headers: requestHeaders(headers, token, body !== undefined),
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: clock.signal,
        cache: "no-store",
        credentials: "omit",
      });
      return await this.#read(response);
    } catch (error) {
      if (error instanceof LaurelError) throw error;
      if (signal?.aborted) throw signal.reason;
      throw new LaurelError(clock.signal.aborted ? "timeout" : "unreachable", { cause: error });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** @param {Response} response @returns {Promise<Answer>} */
  async #read(response) {
    const { status, headers } = response;
    const text = await response.text();
    const body = decode(text);
    if (status !== 304 && !response.ok) {
      throw fromProblem(status, body, retryAfterSeconds(headers.get("Retry-After")));
    }
    if (body === undefined) throw new LaurelError("unreadable", { detail: "The answer was not JSON." });
    return { status, headers, body };
  }
}

/** @param {Record<string, string>} headers @param {string | null} token @param {boolean} hasBody */
export function requestHeaders(headers, token, hasBody) {
  /** @type {Record<string, string>} */
  const all = { Accept: "application/json", ...headers };
  if (hasBody) all["Content-Type"] = "application/json";
  if (token !== null) all.Authorization = `Bearer ${token}`;
  return all;
}

/** @param {string} text @returns {unknown} undefined when it is no JSON */
function decode(text) {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
