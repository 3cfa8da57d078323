/** Who the player is, and the tokens that say so. */

import { LaurelError } from "./errors.js";

/** A token this close to its end is renewed before it is used. */
const RENEW_BEFORE_MS = 10_000;

/**
 * @typedef {{userId: string, username: string, displayName: string, avatarUrl: string | null,
 *            region: string | null, role: string}} User
 * @typedef {{accessToken: string, refreshToken: string | null, expiresAtMs: number | null, user: User | null}} Tokens
 * @typedef {{load(): Tokens | null, save(tokens: Tokens | null): void, settle?(): Promise<void>}} SessionStore
 */

/**
 * One player's tokens; fires `change` when the player changes.
 *
 * The event's detail is `{user, reason}`, the reason `login`, `logout`, `expired` or `elsewhere` (another tab).
 * Refresh tokens are single-use, and using an old one revokes all of them: so renewing happens once at a time, over all
 * tabs that share a store.
 */
export class Session extends EventTarget {
  #http;
  #store;
  /** @type {Tokens | null} */
  #tokens;
  /** @type {Promise<string | null> | null} */
  #renewing = null;

  /**
   * @param {import("./http.js").Http} http
   * @param {{token?: string | null, store?: SessionStore | null}} [options]
   */
  constructor(http, { token = null, store = null } = {}) {
    super();
    this.#http = http;
    this.#store = store;
    this.#tokens = token === null ? (store?.load() ?? null) : { accessToken: token, refreshToken: null, expiresAtMs: null, user: null };
  }

  /** The player, null when nobody is signed in or only a bare token is known. */
  get user() {
    return this.#tokens?.user ?? null;
  }

  get isSignedIn() {
    return this.#tokens !== null;
  }

  /** Tells one player from another: null when nobody is signed in, empty for a bare token. */
  get player() {
    return this.#tokens === null ? null : (this.user?.userId ?? "");
  }

  /** As they are, which may have run out. */
  get tokens() {
    return this.#tokens;
  }

  /** A token that should still be good, or null. @returns {Promise<string | null>} */
  async token() {
    if (this.#renewing !== null) return this.#renewing;
    const tokens = this.#tokens;
    if (tokens === null) return null;
    const isEnding = tokens.expiresAtMs !== null && Date.now() > tokens.expiresAtMs - RENEW_BEFORE_MS;
    return isEnding && tokens.refreshToken !== null ? this.renew(tokens.accessToken) : tokens.accessToken;
  }

  /**
   * Takes the answer of login, register or refresh.
   * @param {{accessToken: string, expiresIn?: number, refreshToken?: string | null, user?: User}} answer
   * @param {string} [reason]
   */
  accept(answer, reason = "login") {
    const expiresAtMs = typeof answer.expiresIn === "number" ? Date.now() + answer.expiresIn * 1000 : null;
    const { accessToken, refreshToken = null, user = this.user } = answer;
    this.#save({ accessToken, refreshToken, expiresAtMs, user }, reason);
  }

  /** @param {string} reason */
  forget(reason) {
    this.#save(null, reason);
  }

  /** Reads the store again, after another tab wrote to it. */
  reload() {
    if (this.#store !== null) this.#put(this.#store.load(), "elsewhere");
  }

  /**
   * A token newer than the refused one, or null.
   *
   * Null means that the session has ended. A server that cannot be reached leaves the session as it is and throws.
   * @param {string} refused
   */
  renew(refused) {
    this.#renewing ??= exclusively(`laurel-session ${this.#http.baseUrl}`, () => this.#renew(refused)).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /** @param {string} refused @returns {Promise<string | null>} */
  async #renew(refused) {
    if (this.#store !== null) {
      await this.#store.settle?.();
      this.reload();
    }
    const tokens = this.#tokens;
    if (tokens === null) return null;
    if (tokens.accessToken !== refused) return tokens.accessToken;
    if (tokens.refreshToken === null) return this.#expire();
    try {
      const url = this.#http.address("api/v1/auth/refresh");
      const { body } = await this.#http.send("POST", url, { body: { refreshToken: tokens.refreshToken } });
      if (!this.#isStill(tokens)) return this.#tokens?.accessToken ?? null;
      this.accept(body, "renewed");
      return body.accessToken;
    } catch (error) {
      if (error instanceof LaurelError && error.isPassing) throw error;
      return this.#isStill(tokens) ? this.#expire() : (this.#tokens?.accessToken ?? null);
    }
  }

  /** Whether nobody has signed in or out meanwhile. @param {Tokens} tokens */
  #isStill(tokens) {
    return this.#tokens?.accessToken === tokens.accessToken;
  }

  /** @returns {null} */
  #expire() {
    this.forget("expired");
    return null;
  }

  /** Stored before anybody hears of it. @param {Tokens | null} tokens @param {string} reason */
  #save(tokens, reason) {
    this.#store?.save(tokens);
    this.#put(tokens, reason);
  }

  /** @param {Tokens | null} tokens @param {string} reason */
  #put(tokens, reason) {
    const before = this.#tokens;
    this.#tokens = tokens;
    const isSamePlayer = before?.user?.userId === tokens?.user?.userId && (before === null) === (tokens === null);
    if (!isSamePlayer) this.dispatchEvent(new CustomEvent("change", { detail: { user: this.user, reason } }));
  }
}

/**
 * One at a time over all tabs, where the browser can and may: it may not where it is to store nothing for us.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function exclusively(name, work) {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return work();
  let isGranted = false;
  const locked = () => {
    isGranted = true;
    return work();
  };
  try {
    return await /** @type {Promise<T>} */ (locks.request(name, locked));
  } catch (error) {
    if (isGranted) throw error;
    return work();
  }
}
