/** Keeps the session over reloads, where the browser lets us. */

const KEY = "laurel.session";

/** @typedef {import("../laurel/session.js").Tokens} Tokens */

/**
 * In this tab only, or on this device when the player says so.
 *
 * Browsers may forbid storage: then the session lasts as long as the page.
 */
export class SessionKeeper {
  /** @type {Tokens | null} */
  #remembered = null;
  /** Whether to keep it on this device. */
  isKept = stored(localArea) !== null;

  /** @returns {Tokens | null} */
  load() {
    return stored(localArea) ?? stored(tabArea) ?? this.#remembered;
  }

  /** @param {Tokens | null} tokens */
  save(tokens) {
    this.#remembered = tokens;
    write(localArea, this.isKept ? tokens : null);
    write(tabArea, this.isKept ? null : tokens);
    if (tokens === null) this.isKept = false;
  }

  /** Calls back when another tab signed in or out. @param {() => void} then */
  watch(then) {
    addEventListener("storage", ({ key }) => {
      if (key !== KEY && key !== null) return;
      this.isKept = stored(localArea) !== null;
      if (!this.isKept && stored(tabArea) === null) this.#remembered = null;
      then();
    });
  }
}

const localArea = () => localStorage;
const tabArea = () => sessionStorage;

/** @param {() => Storage} area @returns {Tokens | null} */
function stored(area) {
  try {
    return JSON.parse(area().getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

/** @param {() => Storage} area @param {Tokens | null} tokens */
function write(area, tokens) {
  try {
    if (tokens === null) area().removeItem(KEY);
    else area().setItem(KEY, JSON.stringify(tokens));
  } catch {
    return; // storage is forbidden or full; the page remembers
  }
}
