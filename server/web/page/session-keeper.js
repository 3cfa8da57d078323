/** Keeps the session over reloads. */

import { Shelf } from "./shelf.js";

const KEY = "laurel.session";
/** How long a copy of this tab has to answer; it is asked once for each renewal. */
const ANSWER_MS = 200;

/** @typedef {import("../laurel/session.js").Tokens} Tokens */

/** In this tab only, or on this device when the player says so. */
export class SessionKeeper {
  #shelf = new Shelf(KEY);
  /** @type {Tokens | null} */
  #remembered = null;
  /** Access tokens that were renewed here. @type {Set<string>} */
  #renewed = new Set();
  #copies = channel();
  #answered = () => {};
  /** Whether to keep it on this device. */
  isKept = this.#shelf.isOnDevice;

  constructor() {
    this.#copies?.addEventListener("message", ({ data }) => this.#heard(data));
  }

  /** @returns {Tokens | null} */
  load() {
    return this.#shelf.read() ?? this.#remembered;
  }

  /** @param {Tokens | null} tokens */
  save(tokens) {
    const before = this.load();
    if (tokens === null) this.#renewed.clear();
    else if (before !== null) this.#renewed.add(before.accessToken);
    this.#remembered = tokens;
    this.#shelf.write(tokens, this.isKept);
    if (tokens === null) this.isKept = false;
  }

  /** Fetches what a copy of this tab has renewed: who duplicates a tab has its storage twice, and each would renew it. */
  async settle() {
    const tokens = this.load();
    if (tokens === null || this.isKept || this.#copies === null) return;
    const answered = new Promise((resolve) => {
      this.#answered = () => resolve(undefined);
      setTimeout(resolve, ANSWER_MS);
    });
    this.#copies.postMessage({ wanted: tokens.accessToken });
    await answered;
  }

  /** @param {{wanted: string} | {instead: string, tokens: Tokens}} told */
  #heard(told) {
    const tokens = this.load();
    if ("wanted" in told) {
      if (this.#renewed.has(told.wanted)) this.#copies?.postMessage({ instead: told.wanted, tokens });
    } else if (told.instead === tokens?.accessToken) {
      this.save(told.tokens);
      this.#answered();
    }
  }

  /** Calls back when another tab signed in or out. @param {() => void} then */
  watch(then) {
    addEventListener("storage", ({ key }) => {
      if (key !== KEY && key !== null) return;
      this.isKept = this.#shelf.isOnDevice;
      if (this.#shelf.read() === null) this.#remembered = null;
      then();
    });
  }
}

/** To copies of this tab; none where the browser is to store nothing for us. */
function channel() {
  try {
    return new BroadcastChannel(KEY);
  } catch {
    return null;
  }
}
