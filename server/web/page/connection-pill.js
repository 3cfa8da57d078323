/** How fresh the board is, in one word. */

/** @typedef {import("../laurel/live-board.js").LiveState} LiveState */

/** A hiccup shorter than this is not worth a word. */
const SETTLE_MS = 900;

/** @type {Record<LiveState, [string, string]>} */
const WORDS = {
  live: ["Live", "Changes arrive the moment they happen."],
  connecting: ["Connecting", "Making the connection."],
  "catching-up": ["Catching up", "Something was missed and is being fetched."],
  polling: ["Every few seconds", "Live updates don’t get through, so the board is read every few seconds."],
  offline: ["Offline, retrying", "The server is out of reach. This is the last known board."],
};

/** A dot and a word. */
export class ConnectionPill {
  #element;
  #word;
  #timer = 0;

  /** @param {HTMLElement} element with an inner `.word` */
  constructor(element) {
    this.#element = element;
    this.#word = /** @type {HTMLElement} */ (element.querySelector(".word"));
  }

  /** @param {LiveState} state */
  show(state) {
    clearTimeout(this.#timer);
    if (state === "live") this.#write(state);
    else this.#timer = window.setTimeout(() => this.#write(state), SETTLE_MS);
  }

  /** @param {LiveState} state */
  #write(state) {
    const [word, title] = WORDS[state];
    this.#element.dataset.state = state;
    this.#element.title = title;
    if (this.#word.textContent !== word) this.#word.textContent = word;
  }
}
