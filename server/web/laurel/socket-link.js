/** The live board over a WebSocket. */

import { afterClose } from "./close-codes.js";
import { Link, OPEN_WITHIN_MS, SILENCE_MS } from "./link.js";

/** After this long without a word one is asked for. */
const QUIET_MS = 25_000;
/** A probe is answered within this time, or the connection is dead. */
const PROBE_WITHIN_MS = 5_000;
const NORMAL_CLOSURE = 1000;

/**
 * One WebSocket, authenticated first when a token is known.
 *
 * The server answers in order: the pong of the first ping says that everything missed has been sent. Later ones are
 * sent when it is quiet, and by the same timer that gives up: a browser that slows down one of a hidden tab's timers, and
 * not the other, would else take a quiet link for a dead one.
 */
export class SocketLink extends Link {
  #socket;
  #isProbing = false;

  /** @param {import("./link.js").LinkContext} context @param {import("./link.js").LinkListener} listener */
  constructor(context, listener) {
    super(context, listener);
    const url = context.http.address("api/v1/live", { board: context.board, ...context.position });
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new WebSocket(url);
    this.#socket.addEventListener("open", () => this.#opened());
    this.#socket.addEventListener("message", (event) => this.#heard(event.data));
    this.#socket.addEventListener("close", (event) => this.fail(afterClose(event.code, event.reason)));
    this.expectWithin(OPEN_WITHIN_MS);
  }

  async #opened() {
    this.expectWithin(SILENCE_MS);
    const token = await this.takeToken();
    if (this.isOver) return;
    if (token !== null) this.#send({ type: "auth", token });
    this.#ask(SILENCE_MS);
  }

  /** Asks for a word. @param {number} withinMs */
  #ask(withinMs) {
    this.expectWithin(withinMs);
    this.#send({ type: "ping" });
  }

  /** @param {unknown} text */
  #heard(text) {
    if (this.isOver) return;
    this.#isProbing = false;
    this.expectWithin(QUIET_MS, () => this.#ask(SILENCE_MS - QUIET_MS));
    const frame = parse(text);
    if (frame === null) return;
    this.deliver(frame);
    if (frame.type === "pong" || frame.type === "leaderboard.snapshot") this.ready();
  }

  /** @param {object} frame @returns {boolean} whether it could be sent */
  #send(frame) {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  probe() {
    if (this.#isProbing || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#isProbing = true;
    this.#ask(PROBE_WITHIN_MS);
  }

  authenticate() {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.takeToken().then((token) => token !== null && this.#send({ type: "auth", token }));
    return true;
  }

  /** @param {import("./fold.js").Position} position */
  resume(position) {
    return this.#send({ type: "resume", board: this.context.board, ...position });
  }

  hangUp() {
    this.#socket.close(NORMAL_CLOSURE);
  }
}

/** @param {unknown} text @returns {any} null when it is no object */
function parse(text) {
  if (typeof text !== "string") return null;
  try {
    return Object(JSON.parse(text));
  } catch {
    return null;
  }
}
