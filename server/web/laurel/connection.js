/** Stays connected to one board, by whatever way works. */

import { fullJitterMs } from "./backoff.js";
import { EventsLink } from "./events-link.js";
import { Ladder } from "./ladder.js";
import { PollingLink } from "./polling-link.js";
import { SocketLink } from "./socket-link.js";

/** @typedef {import("./ladder.js").Transport} Transport */
/** @typedef {import("./link.js").Link} Link */
/** @typedef {import("./close-codes.js").End} End */

const LINKS = { websocket: SocketLink, events: EventsLink, polling: PollingLink };
/** Between two tries where even plain reading was refused: soon at first, since a pod that starts may not know its boards yet. */
const REFUSED_RETRY = { firstMs: 2_000, longestMs: 60_000 };
/** A renewed token that is refused this soon again will not get better. */
const RENEWED_TWICE_MS = 10_000;

/** @returns {Transport[]} those this place can speak, best first */
function spokenHere() {
  return typeof WebSocket === "undefined" ? ["events", "polling"] : ["websocket", "events", "polling"];
}

/**
 * @typedef {object} ConnectionOwner
 * @property {string} board
 * @property {import("./http.js").Http} http
 * @property {import("./session.js").Session} session
 * @property {readonly Transport[]} [transports]
 * @property {() => import("./fold.js").Position | null} position
 * @property {(frame: any) => void} onFrame
 * @property {(state: "connecting" | "live" | "polling" | "offline") => void} onState
 * @property {(code: string) => void} onRefused
 */

/**
 * One link in use, perhaps a better one on trial.
 *
 * A link that ends is replaced after a wait; the ladder says by what and when. A better way is tried beside the present
 * one and takes over when it has delivered: there is no gap, since frames already seen are recognised by their position.
 */
export class Connection {
  #owner;
  #ladder;
  /** @type {Link | null} */
  #link = null;
  /** @type {Link | null} */
  #trial = null;
  /** @type {readonly Transport[]} what to try if the trial fails */
  #others = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #climb;
  #climbNotBefore = -Infinity;
  #renewedAt = -Infinity;
  #refusals = 0;
  #isClosed = false;
  #onPlayer = () => this.#playerChanged();
  #onNetwork = () => this.checkNow();
  #onVisible = () => {
    if (document.visibilityState === "visible") this.checkNow();
  };

  /** @param {ConnectionOwner} owner */
  constructor(owner) {
    this.#owner = owner;
    this.#ladder = new Ladder(owner.transports ?? spokenHere());
    owner.session.addEventListener("change", this.#onPlayer);
    globalThis.addEventListener?.("online", this.#onNetwork);
    globalThis.addEventListener?.("offline", this.#onNetwork);
    globalThis.document?.addEventListener("visibilitychange", this.#onVisible);
    this.restart();
  }

  get transport() {
    return this.#ladder.transport;
  }

  /** Replaces the link by a new one, now. */
  restart() {
    if (this.#isClosed) return;
    this.#hangUp();
    this.#owner.onState(this.#ladder.isOffline ? "offline" : "connecting");
    this.#link = this.#open(this.#ladder.transport);
  }

  /** Looks at once whether the link lives and whether there is a better one, or makes one. */
  checkNow() {
    if (this.#link === null) {
      this.#ladder.forgive();
      return this.restart();
    }
    this.#link.probe();
    this.#climbNow();
  }

  /** Asks for what came after a position. @param {import("./fold.js").Position} position */
  resume(position) {
    if (!this.#link?.resume(position)) this.restart();
  }

  close() {
    this.#isClosed = true;
    this.#hangUp();
    this.#owner.session.removeEventListener("change", this.#onPlayer);
    globalThis.removeEventListener?.("online", this.#onNetwork);
    globalThis.removeEventListener?.("offline", this.#onNetwork);
    globalThis.document?.removeEventListener("visibilitychange", this.#onVisible);
  }

  /** @param {Transport} transport @returns {Link} */
  #open(transport) {
    const { http, board, session, position, onFrame } = this.#owner;
    /** @type {Link} */
    const link = new LINKS[transport](
      { http, board, position: position(), token: () => session.token() },
      {
        frame: onFrame,
        ready: () => (link === this.#trial ? this.#promote(transport) : this.#delivered()),
        end: (end) => (link === this.#trial ? this.#trialEnded(transport, end) : this.#ended(transport, end)),
      },
    );
    return link;
  }

  #delivered() {
    this.#refusals = 0;
    this.#ladder.delivered();
    this.#owner.onState(this.#ladder.transport === "polling" ? "polling" : "live");
    this.#climbLater();
  }

  /** @param {Transport} transport @param {End} end */
  #ended(transport, end) {
    const token = this.#link?.usedToken ?? null;
    this.#hangUp();
    const isGone = end.verdict === "gone" && transport === "polling";
    this.#retry = setTimeout(() => this.restart(), this.#waitAfter(transport, end));
    this.#owner.onState(this.#ladder.isOffline || isGone ? "offline" : "connecting");
    if (end.verdict === "unauthorized") this.#renew(token);
    if (isGone || !["reconnect", "moved", "gone"].includes(end.verdict)) this.#owner.onRefused(end.code);
  }

  /** @param {Transport} transport @param {End} end @returns {number} milliseconds */
  #waitAfter(transport, { verdict, afterMs }) {
    switch (verdict) {
      case "moved":
        this.#ladder.forgive();
        return afterMs;
      case "later": // this way is full: the next one shows the board meanwhile
        this.#climbNotBefore = performance.now() + afterMs;
        return this.#ladder.stepDown() ? fullJitterMs(0) : afterMs + this.#ladder.failed();
      case "unusable":
        if (transport === "polling") return this.#waitAfterRefusal();
        this.#ladder.drop(transport);
        return 0;
      case "gone": // only plain reading can tell a missing board from a missing route
        return this.#ladder.stepDown() ? 0 : this.#waitAfterRefusal();
      default:
        return this.#ladder.failed();
    }
  }

  #waitAfterRefusal() {
    this.#refusals += 1;
    return fullJitterMs(this.#refusals - 1, REFUSED_RETRY);
  }

  /** @param {string | null} refused */
  #renew(refused) {
    const { session } = this.#owner;
    if (refused === null) return;
    if (performance.now() - this.#renewedAt < RENEWED_TWICE_MS) return session.forget("expired");
    this.#renewedAt = performance.now();
    session.renew(refused).catch(() => null); // out of reach: the next link asks again
  }

  #playerChanged() {
    const isTold = this.#owner.session.isSignedIn && this.#link?.authenticate();
    if (!isTold && this.#link !== null) this.restart();
  }

  // -- climbing back up ---------------------------------------------------------------------------------------------

  #climbLater() {
    clearTimeout(this.#climb);
    if (this.#ladder.above.length === 0) return;
    const delayMs = Math.max(this.#ladder.climbAfterMs(), this.#climbNotBefore - performance.now());
    this.#climb = setTimeout(() => this.#try(this.#ladder.above), delayMs);
  }

  #climbNow() {
    const { above } = this.#ladder;
    if (this.#trial !== null || above.length === 0 || performance.now() < this.#climbNotBefore) return;
    clearTimeout(this.#climb);
    this.#try(above);
  }

  /** @param {readonly Transport[]} candidates best first */
  #try([best, ...others]) {
    if (best === undefined) return this.#climbLater();
    this.#others = others;
    this.#trial = this.#open(best);
  }

  /** @param {Transport} transport */
  #promote(transport) {
    const link = this.#trial;
    this.#trial = null;
    this.#hangUp();
    this.#link = link;
    this.#ladder.climbedTo(transport);
    this.#delivered();
  }

  /** @param {Transport} transport @param {End} end */
  #trialEnded(transport, { verdict, afterMs }) {
    this.#trial = null;
    if (verdict === "unusable") this.#ladder.drop(transport);
    if (verdict === "later") this.#climbNotBefore = performance.now() + afterMs;
    this.#try(this.#others);
  }

  #hangUp() {
    clearTimeout(this.#retry);
    clearTimeout(this.#climb);
    this.#link?.close();
    this.#trial?.close();
    this.#link = this.#trial = null;
  }
}
