/** The ALTCHA widget on an action's card: it works while the player plays. */

import { LaurelError } from "../laurel.js";
import { el } from "./dom.js";

const FOLDER = new URL("../vendor/altcha/", import.meta.url);
const ALGORITHM = "PBKDF2/SHA-256";
/** Leaves the other cores to the player. */
const WORKERS = 2;

/** @type {Promise<void> | null} */
let loading = null;

/** Loads the widget when the first action asks for it. */
function load() {
  loading ??= fetched().catch((error) => {
    loading = null; // the next action tries again
    throw error;
  });
  return loading;
}

async function fetched() {
  await import(new URL("altcha.min.js", FOLDER).href);
  /** @type {any} */ (globalThis).$altcha.algorithms.set(ALGORITHM, () => new Worker(new URL("pbkdf2.js", FOLDER)));
  document.head.append(el("link", { rel: "stylesheet", href: new URL("altcha.css", FOLDER).href }));
}

/** Proofs for one action, one at a time, each used once. */
export class ProofWidget {
  element = el("div", { class: "proof", hidden: true });
  #laurel;
  #actionId;
  /** @type {any} */
  #widget = null;
  /** @type {Promise<string> | null} */
  #proof = null;
  #round = 0;

  /** @param {import("../laurel.js").Laurel} laurel @param {string} actionId */
  constructor(laurel, actionId) {
    this.#laurel = laurel;
    this.#actionId = actionId;
  }

  /** Begins the work, so that `take` need not wait; what fails is left to `take`. */
  prepare() {
    if (this.#proof !== null) return;
    const proof = this.#work();
    this.#proof = proof;
    proof.catch(() => this.#done(proof));
  }

  /** The proof, for one start. */
  async take() {
    this.prepare();
    const proof = /** @type {Promise<string>} */ (this.#proof);
    try {
      return await proof;
    } finally {
      this.#done(proof);
    }
  }

  /** @param {Promise<string>} proof */
  #done(proof) {
    if (this.#proof === proof) this.forget();
  }

  /** Lets go of a proof that was used, or is of no use any more. */
  forget() {
    this.#proof = null;
    this.#round += 1;
    this.#widget?.reset?.();
    this.element.hidden = true;
  }

  async #work() {
    const round = this.#round;
    const proof = await this.#verified().catch(() => null);
    if (proof !== null) return proof;
    if (round !== this.#round) throw new LaurelError("proof_required"); // forgotten meanwhile
    return this.#laurel.prove(this.#actionId); // the widget could not, for whatever reason
  }

  /** The widget's proof, or null. @returns {Promise<string | null>} */
  async #verified() {
    await load();
    this.#widget ??= await this.#made();
    this.element.hidden = false;
    return (await this.#widget.verify())?.payload ?? null;
  }

  async #made() {
    const widget = /** @type {any} */ (document.createElement("altcha-widget"));
    this.element.append(widget);
    await customElements.whenDefined("altcha-widget");
    while (widget.configure === undefined) await new Promise(requestAnimationFrame);
    widget.configure({
      challenge: this.#laurel.challengeAddress(this.#actionId).href,
      fetch: (/** @type {string} */ address, /** @type {RequestInit} */ options) => this.#fetch(address, options),
      hideFooter: true,
      humanInteractionSignature: false,
      minDuration: 0,
      name: "",
      workers: WORKERS,
    });
    widget.addEventListener("statechange", (/** @type {CustomEvent} */ { detail }) => {
      if (detail.state === "expired") this.forget();
    });
    return widget;
  }

  /** @param {string} address @param {RequestInit} options */
  async #fetch(address, options) {
    const token = await this.#laurel.session.token();
    return fetch(address, { ...options, cache: "no-store", credentials: "omit", headers: token === null ? {} : { Authorization: `Bearer ${token}` } });
  }
}
