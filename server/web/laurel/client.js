/** One Laurel server as a game or a page sees it. */

import { LaurelError } from "./errors.js";
import { Http } from "./http.js";
import { LiveBoard } from "./live-board.js";
import { topPath } from "./polling-link.js";
import { solve } from "./proof.js";
import { repeatedly } from "./retry.js";
import { Session } from "./session.js";
import { Ticket, clockOffsetMs } from "./ticket.js";

/** Where the server is when this file came from it: it lies in `web/laurel/`. */
const OWN_SERVER = new URL("../../", import.meta.url);

/**
 * @typedef {object} LaurelOptions
 * @property {string | URL} [baseUrl] default: where this file came from
 * @property {string | null} [token] an access token got elsewhere
 * @property {import("./session.js").SessionStore | null} [store] keeps the session over reloads
 */

/** @typedef {{signal?: AbortSignal, withinMs?: number}} Patience */

/** Signs in, starts and redeems actions, watches boards. */
export class Laurel {
  #http;

  /** @param {LaurelOptions} [options] */
  constructor({ baseUrl = OWN_SERVER, token = null, store = null } = {}) {
    this.#http = new Http(baseUrl);
    /** Who is signed in; fires `change`. */
    this.session = new Session(this.#http, { token, store });
  }

  // -- who ----------------------------------------------------------------------------------------------------------

  /** @param {{username: string, password: string, displayName?: string, avatarUrl?: string, region?: string}} account */
  async register(account) {
    return this.#enter("api/v1/auth/register", account);
  }

  /** @param {string} username @param {string} password */
  async login(username, password) {
    return this.#enter("api/v1/auth/login", { username, password });
  }

  /** Ends the session here at once, and on every pod if the server can be reached. */
  async logout() {
    const { tokens } = this.session;
    this.session.forget("logout");
    if (tokens !== null) await this.#end(tokens).catch(ignoreRefusal);
  }

  /** A token that has run out is renewed for this once. @param {import("./session.js").Tokens} tokens */
  async #end({ accessToken, refreshToken }) {
    const url = this.#http.address("api/v1/auth/logout");
    try {
      await this.#http.send("POST", url, { token: accessToken });
    } catch (error) {
      if (refreshToken === null || !(error instanceof LaurelError && error.isAboutToken)) throw error;
      const { body } = await this.#http.send("POST", this.#http.address("api/v1/auth/refresh"), { body: { refreshToken } });
      await this.#http.send("POST", url, { token: body.accessToken });
    }
  }

  /** @param {string} path @param {object} body */
  async #enter(path, body) {
    const { body: answer } = await this.#http.send("POST", this.#http.address(path), { body });
    this.session.accept(answer);
    return answer.user;
  }

  async me() {
    return this.#ask("GET", "api/v1/me");
  }

  // -- actions ------------------------------------------------------------------------------------------------------

  async actions() {
    return (await this.#ask("GET", "api/v1/actions")).actions;
  }

  /**
   * Starts an action: a ticket to redeem when it ends.
   *
   * Where a proof of work is asked for, it is worked out first: by `prove` if given, else here, in small pieces.
   * @param {string} actionId
   * @param {{hold?: boolean, build?: string, proof?: string, signal?: AbortSignal,
   *          prove?: (actionId: string, options: {signal?: AbortSignal}) => Promise<string>}} [options]
   *   `hold`: redeemable by `ticketId`; `proof`: one worked out beforehand
   */
  async start(actionId, { signal, prove = (id, options) => this.prove(id, options), ...rest } = {}) {
    const { player } = this.session;
    try {
      return await this.#start({ actionId, ...rest }, player, signal);
    } catch (error) {
      if (!(error instanceof LaurelError) || error.code !== "proof_required") throw error;
      return await this.#start({ actionId, ...rest, proof: await prove(actionId, { signal }) }, player, signal);
    }
  }

  /** @param {object} body @param {string | null} player @param {AbortSignal | undefined} signal */
  async #start(body, player, signal) {
    const askedAt = Date.now();
    const facts = await this.#ask("POST", "api/v1/tickets", { body, player, signal });
    return new Ticket({ ...facts, clockOffsetMs: clockOffsetMs(facts.issuedAt, askedAt, Date.now()) });
  }

  /**
   * A proof of work for one start of an action; can be worked out beforehand, while the player is busy.
   * @param {string} actionId
   * @param {{signal?: AbortSignal}} [options]
   */
  async prove(actionId, { signal } = {}) {
    return solve(await this.#ask("GET", "api/v1/challenges", { query: { actionId }, signal }), { signal });
  }

  /** Where an action's challenges come from, for ALTCHA's own widget. @param {string} actionId */
  challengeAddress(actionId) {
    return this.#http.address("api/v1/challenges", { actionId });
  }

  /**
   * Redeems a ticket; repeats while the failure is passing.
   *
   * Safe, since a spent ticket gets its recorded result again (`replayed: true`).
   * @param {string | {ticket: string} | {ticketId: string}} ticket
   * @param {Patience} [patience]
   */
  async redeem(ticket, { signal, withinMs } = {}) {
    const options = { body: redemptionOf(ticket), player: this.session.player, signal };
    return repeatedly(() => this.#ask("POST", "api/v1/tickets/redeem", options), { signal, withinMs });
  }

  /**
   * Does an instant action; repeats with the same key.
   *
   * After a failure that leaves it open whether it counted, call again with the same `idempotencyKey`.
   * @param {string} actionId
   * @param {Patience & {idempotencyKey?: string}} [options]
   */
  async act(actionId, { signal, withinMs, idempotencyKey = newKey() } = {}) {
    const headers = { "Idempotency-Key": idempotencyKey };
    const options = { body: { actionId }, headers, player: this.session.player, signal };
    return repeatedly(() => this.#ask("POST", "api/v1/tickets/redeem", options), { signal, withinMs });
  }

  // -- boards -------------------------------------------------------------------------------------------------------

  async boards() {
    return (await this.#ask("GET", "api/v1/boards")).boards;
  }

  /** @param {string} board @param {{limit?: number, cursor?: string, period?: string}} [query] */
  async top(board, query = {}) {
    return this.#ask("GET", topPath(board), { query });
  }

  /**
   * A player's place on a board, null when not on it.
   * @param {string} board
   * @param {string} userId
   */
  async standing(board, userId) {
    try {
      return await this.#ask("GET", `api/v1/boards/${encodeURIComponent(board)}/users/${encodeURIComponent(userId)}`);
    } catch (error) {
      if (error instanceof LaurelError && error.status === 404) return null;
      throw error;
    }
  }

  /**
   * The board as it changes, until its `close()`.
   * @param {string} board
   * @param {{transports?: readonly ("websocket" | "events" | "polling")[]}} [options]
   */
  live(board, options = {}) {
    return new LiveBoard(this.#http, this.session, board, options);
  }

  /**
   * One request with our token, renewed once if refused; with `player` only as long as that is who is signed in.
   * @param {string} method
   * @param {string} path
   * @param {{query?: Record<string, any>, body?: unknown, headers?: Record<string, string>, player?: string | null,
   *          signal?: AbortSignal}} [options]
   */
  async #ask(method, path, { query, player, ...options } = {}) {
    const url = this.#http.address(path, query);
    const token = await this.session.token();
    this.#refuseOthers(player);
    try {
      return (await this.#http.send(method, url, { ...options, token })).body;
    } catch (error) {
      if (token === null || !(error instanceof LaurelError && error.isAboutToken)) throw error;
      const renewed = await this.session.renew(token);
      if (renewed === null && method !== "GET") throw error;
      this.#refuseOthers(player);
      return (await this.#http.send(method, url, { ...options, token: renewed })).body;
    }
  }

  /** What one player began must not be done as another. @param {string | null | undefined} player undefined: anybody's */
  #refuseOthers(player) {
    if (player === undefined || player === this.session.player) return;
    throw new LaurelError("token_invalid", { status: 401, detail: "somebody else is signed in, or nobody" });
  }
}

/** @param {string | {ticket?: string, ticketId?: string}} ticket */
function redemptionOf(ticket) {
  if (typeof ticket === "string") return { ticket };
  return ticket.ticket === undefined ? { ticketId: ticket.ticketId } : { ticket: ticket.ticket };
}

/** Random and unique; `randomUUID` is missing on insecure origins. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {unknown} error */
function ignoreRefusal(error) {
  if (!(error instanceof LaurelError)) throw error;
}
