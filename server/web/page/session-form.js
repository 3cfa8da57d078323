/** Signing in and creating an account, in one form. */

import { LaurelError } from "../laurel.js";
import { entryRefusal, refusal } from "./refusals.js";

/** One form with a switch between the two. */
export class SessionForm {
  #form;
  #laurel;
  #keeper;
  #reason;
  #problem;
  #submit;

  /**
   * @param {HTMLFormElement} form
   * @param {import("../laurel.js").Laurel} laurel
   * @param {import("./session-keeper.js").SessionKeeper} keeper
   */
  constructor(form, laurel, keeper) {
    this.#form = form;
    this.#laurel = laurel;
    this.#keeper = keeper;
    this.#reason = /** @type {HTMLElement} */ (form.querySelector(".reason"));
    this.#problem = /** @type {HTMLElement} */ (form.querySelector(".problem"));
    this.#submit = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));
    form.addEventListener("submit", (event) => this.#submitted(event));
    // Only the switch: a layout that moves when a field is left would move the button from under the pointer.
    form.querySelector(".switch")?.addEventListener("change", () => this.#arrange());
    this.#arrange();
    laurel.session.addEventListener("change", (event) => this.#changed(/** @type {CustomEvent} */ (event).detail));
    form.hidden = laurel.session.isSignedIn;
  }

  /** Brings the visitor here, to create an account. */
  invite() {
    /** @type {HTMLInputElement} */ (this.#form.querySelector("[name=mode][value=register]")).checked = true;
    this.#arrange();
    this.#say(this.#reason, "To play, create an account: a name and a password are all it takes.");
    this.#form.scrollIntoView({ block: "center" });
    this.#field("username").focus();
  }

  /** @param {{user: object | null, reason: string}} detail */
  #changed({ user, reason }) {
    this.#form.hidden = user !== null;
    this.#field("password").value = "";
    this.#say(this.#reason, "");
    this.#complain(reason === "expired" ? refusal(new LaurelError("token_expired")) : "");
  }

  get #isNew() {
    return new FormData(this.#form).get("mode") === "register";
  }

  #arrange() {
    const isNew = this.#isNew;
    for (const part of this.#form.querySelectorAll("[data-only=register]")) /** @type {HTMLElement} */ (part).hidden = !isNew;
    for (const name of ["username", "password"]) this.#field(name).setAttribute("aria-describedby", isNew ? `${name}-rule` : "");
    this.#field("password").autocomplete = isNew ? "new-password" : "current-password";
    this.#submit.textContent = isNew ? "Create account" : "Sign in";
    this.#say(this.#reason, "");
    this.#complain("");
  }

  /** @param {SubmitEvent} event */
  async #submitted(event) {
    event.preventDefault();
    const fields = new FormData(this.#form);
    const text = (/** @type {string} */ name) => String(fields.get(name) ?? "");
    const isNew = this.#isNew;
    const username = text("username").trim();
    if (username === "" || text("password") === "") return this.#complain("Please fill in name and password.");
    this.#busy(true);
    try {
      this.#keeper.isKept = fields.get("keep") !== null;
      const displayName = text("displayName").trim();
      if (isNew) await this.#laurel.register({ username, password: text("password"), ...(displayName && { displayName }) });
      else await this.#laurel.login(username, text("password"));
    } catch (error) {
      if (!(error instanceof LaurelError)) throw error;
      this.#complain(entryRefusal(error, isNew));
      this.#field("password").focus();
    } finally {
      this.#busy(false);
    }
  }

  /** @param {boolean} isBusy */
  #busy(isBusy) {
    this.#submit.disabled = isBusy;
    this.#form.setAttribute("aria-busy", String(isBusy));
  }

  /** @param {string} words */
  #complain(words) {
    this.#say(this.#problem, words);
  }

  /** @param {HTMLElement} place @param {string} words */
  #say(place, words) {
    place.textContent = words;
    place.hidden = words === "";
  }

  /** @param {string} name @returns {HTMLInputElement} */
  #field(name) {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name));
  }
}
