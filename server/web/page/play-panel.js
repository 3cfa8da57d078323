/** The actions a player can do. */

import { repeatedly } from "../laurel.js";
import { ActionCard } from "./action-card.js";

/** A list of cards, in step with the server's catalogue. */
export class PlayPanel {
  #list;
  #stage;
  /** By what they are made from, as text. @type {Map<string, ActionCard>} */
  #cards = new Map();
  #refreshes = 0;

  /** @param {HTMLElement} list @param {import("./action-card.js").Stage} stage */
  constructor(list, stage) {
    this.#list = list;
    this.#stage = stage;
    stage.laurel.session.addEventListener("change", () => this.#cards.forEach((card) => card.playerChanged()));
  }

  /** Asks for the catalogue until it comes; keeps the cards of actions that are the same, and lets the others finish. */
  async refresh() {
    const refresh = ++this.#refreshes;
    const actions = /** @type {import("./policy.js").Action[]} */ (
      await repeatedly(() => this.#stage.laurel.actions(), { withinMs: Infinity })
    );
    const wanted = actions.map((action) => JSON.stringify(action));
    if (wanted.join() === [...this.#cards.keys()].join()) return;
    const leaving = [...this.#cards].filter(([text]) => !wanted.includes(text));
    await Promise.all(leaving.map(([, card]) => card.stop()));
    if (refresh !== this.#refreshes) return; // a later one knows better
    const card = (/** @type {string} */ text) => this.#cards.get(text) ?? new ActionCard(JSON.parse(text), this.#stage);
    this.#cards = new Map(wanted.map((text) => [text, card(text)]));
    this.#list.replaceChildren(...[...this.#cards.values()].map(({ element }) => element));
  }
}
