/** The actions a player can do. */

import { repeatedly } from "../laurel.js";
import { ActionCard } from "./action-card.js";

/** A list of cards, in step with the server's catalogue. */
export class PlayPanel {
  #list;
  #stage;
  #catalogue = "";
  /** @type {ActionCard[]} */
  #cards = [];

  /** @param {HTMLElement} list @param {import("./action-card.js").Stage} stage */
  constructor(list, stage) {
    this.#list = list;
    this.#stage = stage;
    stage.laurel.session.addEventListener("change", () => this.#cards.forEach((card) => card.playerChanged()));
  }

  /** Asks for the catalogue until it comes; keeps the cards if it is the same. */
  async refresh() {
    const actions = await repeatedly(() => this.#stage.laurel.actions(), { withinMs: Infinity });
    const catalogue = JSON.stringify(actions);
    if (catalogue === this.#catalogue) return;
    this.#catalogue = catalogue;
    this.#cards.forEach((card) => card.stop());
    this.#cards = actions.map((/** @type {import("./policy.js").Action} */ action) => new ActionCard(action, this.#stage));
    this.#list.replaceChildren(...this.#cards.map(({ element }) => element));
  }
}
