/** Keeps the session over reloads. */

import { Shelf } from "./shelf.js";

const KEY = "laurel.session";

/** @typedef {import("../laurel/session.js").Tokens} Tokens */

/** In this tab only, or on this device when the player says so. */
export class SessionKeeper {
  #shelf = new Shelf(KEY);
  /** @type {Tokens | null} */
  #remembered = null;
  /** Whether to keep it on this device. */
  isKept = this.#shelf.isOnDevice;

  /** @returns {Tokens | null} */
  load() {
    return this.#shelf.read() ?? this.#remembered;
  }

  /** @param {Tokens | null} tokens */
  save(tokens) {
    this.#remembered = tokens;
    this.#shelf.write(tokens, this.isKept);
    if (tokens === null) this.isKept = false;
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
