/** Who is signed in, and the way out. */

import { avatar, nameOf } from "./avatar.js";

/** Shows the player's name and face beside a sign-out button. */
export class AccountMenu {
  #element;
  #laurel;

  /** @param {HTMLElement} element @param {import("../laurel.js").Laurel} laurel */
  constructor(element, laurel) {
    this.#element = element;
    this.#laurel = laurel;
    element.querySelector("button")?.addEventListener("click", () => laurel.logout());
    laurel.session.addEventListener("change", () => this.#show());
    this.#show();
  }

  #show() {
    const { user } = this.#laurel.session;
    this.#element.hidden = user === null;
    if (user === null) return;
    this.#element.querySelector(".face")?.replaceChildren(avatar(user));
    const name = /** @type {HTMLElement} */ (this.#element.querySelector(".name"));
    name.textContent = nameOf(user);
  }
}
