/** What the three ways to the server have in common. */

/**
 * What a link tells its owner: `end` once at most, nothing after `close()`.
 * @typedef {object} LinkListener
 * @property {() => void} ready what was missed has been delivered
 * @property {(frame: any) => void} frame
 * @property {(end: import("./close-codes.js").End) => void} end
 */

/**
 * @typedef {object} LinkContext
 * @property {import("./http.js").Http} http
 * @property {string} board
 * @property {import("./fold.js").Position | null} position where to go on from
 * @property {() => Promise<string | null>} token
 */

/** A link on which nothing was heard for this long is dead. */
export const SILENCE_MS = 40_000;
/** A connection must be open after this long. */
export const OPEN_WITHIN_MS = 10_000;

/** One connection, from its making to its end. */
export class Link {
  /** @type {string | null} the token it was opened with, or last sent */
  usedToken = null;
  #isOver = false;
  #isReady = false;
  #listener;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #deadline;

  /** @param {LinkContext} context @param {LinkListener} listener */
  constructor(context, listener) {
    this.context = context;
    this.#listener = listener;
  }

  get isOver() {
    return this.#isOver;
  }

  /** A token to send; none while a renewal cannot reach the server, boards being open. */
  async takeToken() {
    this.usedToken = await this.context.token().catch(() => null);
    return this.usedToken;
  }

  /**
   * Ends the link, or does what is given, unless this is called again within the time.
   * @param {number} ms
   * @param {() => void} [otherwise]
   */
  expectWithin(ms, otherwise = () => this.fail({ verdict: "reconnect", afterMs: 0, code: "silent" })) {
    clearTimeout(this.#deadline);
    if (!this.#isOver) this.#deadline = setTimeout(otherwise, ms);
  }

  ready() {
    if (this.#isOver || this.#isReady) return;
    this.#isReady = true;
    this.#listener.ready();
  }

  /** @param {unknown} frame */
  deliver(frame) {
    if (!this.#isOver) this.#listener.frame(frame);
  }

  /** @param {import("./close-codes.js").End} end */
  fail(end) {
    if (this.#isOver) return;
    this.close();
    this.#listener.end(end);
  }

  /** Ends it from our side, silently. */
  close() {
    this.#isOver = true;
    clearTimeout(this.#deadline);
    this.hangUp();
  }

  // -- what each kind does in its own way ---------------------------------------------------------------------------

  /** Lets go of the connection. */
  hangUp() {}

  /** Makes sure soon that it still lives. */
  probe() {}

  /** Tells the server who is there now. @returns {boolean} false: only a new link can */
  authenticate() {
    return false;
  }

  /**
   * Asks for what came after a position.
   * @param {import("./fold.js").Position} _position
   * @returns {boolean} false: only a new link can
   */
  resume(_position) {
    return false;
  }
}
