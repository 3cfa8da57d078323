/** One board as it changes: the events a page listens to. */

import { fullJitterMs } from "./backoff.js";
import { Connection } from "./connection.js";
import { LaurelError } from "./errors.js";
import { topHash } from "./hash.js";
import { asSnapshot, topPath } from "./polling-link.js";
import { TopState } from "./top-state.js";

/** @typedef {"connecting" | "live" | "catching-up" | "polling" | "offline"} LiveState */

/** What was asked for again arrives within this time, or everything is asked for. */
const CATCH_UP_WITHIN_MS = 5_000;
/** Nothing shown yet after this long: the top is read, whatever the connection does. */
const FIRST_LOOK_MS = 1_500;
const NEXT_LOOK_MS = 5_000;
/** Waits before a diverged top is asked for anew. */
const DIVERGED = { firstMs: 500, longestMs: 60_000 };

/**
 * A board's top and what happens to it, until `close()`.
 *
 * Fires `change`, `state`, `score`, `overtaken` and `error`. It reconnects for as long as it lives and keeps the last
 * known top meanwhile.
 */
export class LiveBoard extends EventTarget {
  #top = new TopState();
  /** @type {LiveState} */
  #state = "connecting";
  /** @type {LiveState} */
  #connectionState = "connecting";
  #connection;
  #http;
  #session;
  #isCatchingUp = false;
  #isClosed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #catchUpTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #lookTimer;
  #divergences = 0;
  #userVersion = -1;

  /**
   * @param {import("./http.js").Http} http
   * @param {import("./session.js").Session} session
   * @param {string} board
   * @param {{transports?: readonly import("./ladder.js").Transport[]}} [options]
   */
  constructor(http, session, board, { transports } = {}) {
    super();
    this.board = board;
    this.#http = http;
    this.#session = session;
    session.addEventListener("change", this.#forgetPlayer);
    this.#connection = new Connection({
      board,
      http,
      session,
      transports,
      position: () => this.#top.position,
      onFrame: (frame) => this.#heard(frame),
      onState: (state) => this.#connected(state),
      onRefused: (code) => this.#tell("error", { code, detail: "" }),
    });
    this.#lookTimer = setTimeout(() => this.#look(), FIRST_LOOK_MS);
  }

  get entries() {
    return this.#top.entries;
  }

  get position() {
    return this.#top.position;
  }

  get period() {
    return this.#top.period;
  }

  get state() {
    return this.#state;
  }

  get transport() {
    return this.#connection.transport;
  }

  /** Looks at once whether the connection lives, or makes one. */
  checkNow() {
    this.#connection.checkNow();
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#catchUpTimer);
    clearTimeout(this.#lookTimer);
    this.#session.removeEventListener("change", this.#forgetPlayer);
    this.#connection.close();
  }

  #forgetPlayer = () => {
    this.#userVersion = -1;
  };

  /** @param {any} frame */
  #heard(frame) {
    switch (frame.type) {
      case "leaderboard.snapshot":
        return this.#isOurs(frame) && this.#changed(this.#top.takeSnapshot(frame));
      case "leaderboard.update":
        return this.#isOurs(frame) && this.#updated(frame);
      case "user.scoreUpdate":
        return this.#scored(frame.data);
      case "user.overtaken":
        return this.#tell("overtaken", frame.data);
      case "error":
        return this.#tell("error", { code: frame.code, detail: frame.detail });
    }
  }

  /** @param {{board: string}} frame */
  #isOurs(frame) {
    return frame.board === this.board;
  }

  /** @param {any} frame */
  #updated({ period, epoch, version, previous, data, hash }) {
    const outcome = this.#top.takeUpdate({ period, epoch, version, previous, ...data });
    if (outcome === "gap") return this.#catchUp();
    if (outcome === "old") return;
    this.#changed(outcome);
    if (hash) this.#verify(hash, outcome);
  }

  /** @param {import("./top-state.js").TopChange | null} change */
  #changed(change) {
    if (change === null) return;
    clearTimeout(this.#lookTimer);
    this.#caughtUp();
    this.#tell("change", change);
  }

  /** @param {any} data */
  #scored(data) {
    if (data.userVersion <= this.#userVersion) return;
    this.#userVersion = data.userVersion;
    this.#tell("score", data);
  }

  /** Reads the top while none has been pushed; one that does not exist yet will be pushed when it does. */
  async #look() {
    const url = this.#http.address(topPath(this.board));
    const answer = await this.#http.send("GET", url).catch(LaurelError.from);
    if (this.#isClosed || this.#top.period !== null) return;
    if (!(answer instanceof LaurelError)) this.#changed(this.#top.takeSnapshot(asSnapshot(this.board, answer.body)));
    else if (answer.isPassing) this.#lookTimer = setTimeout(() => this.#look(), NEXT_LOOK_MS);
  }

  // -- missing something --------------------------------------------------------------------------------------------

  #catchUp() {
    if (this.#isCatchingUp) return;
    this.#missing(CATCH_UP_WITHIN_MS);
    if (this.#top.position !== null) this.#connection.resume(this.#top.position);
  }

  /** Shows that we are behind; asks for everything after a wait. @param {number} waitMs */
  #missing(waitMs) {
    this.#isCatchingUp = true;
    this.#show();
    clearTimeout(this.#catchUpTimer);
    this.#catchUpTimer = setTimeout(() => {
      this.#top.lose();
      this.#isCatchingUp = false;
      this.#connection.restart();
    }, waitMs);
  }

  #caughtUp() {
    clearTimeout(this.#catchUpTimer);
    this.#isCatchingUp = false;
    this.#show();
  }

  /** @param {string} expected @param {import("./top-state.js").TopChange} change */
  async #verify(expected, { entries, epoch, version }) {
    const actual = await topHash(entries);
    if (actual === null || actual === expected) {
      this.#divergences = 0;
      return;
    }
    if (this.#top.position?.epoch !== epoch || this.#isCatchingUp) return; // replaced meanwhile
    this.#top.lose();
    this.#tell("error", { code: "diverged", detail: `The top at version ${version} is not the server's.` });
    this.#missing(fullJitterMs(this.#divergences, DIVERGED));
    this.#divergences += 1;
  }

  // -- telling ------------------------------------------------------------------------------------------------------

  /** @param {LiveState} state of the connection */
  #connected(state) {
    this.#connectionState = state;
    this.#show();
  }

  #show() {
    const state = this.#isCatchingUp && this.#connectionState === "live" ? "catching-up" : this.#connectionState;
    if (state === this.#state) return;
    this.#state = state;
    this.#tell("state", { state, transport: this.#connection?.transport ?? null });
  }

  /** @param {string} type @param {unknown} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
