/** The boards as tabs. */

import { el } from "./dom.js";

/** A key that is held goes past many boards, which are not all worth asking for. */
const PASSING_MS = 150;

/** @typedef {import("./periods.js").Board} Board */

/**
 * A tab list after the ARIA pattern: arrows choose, one tab stop.
 *
 * Fires `choose` with the board's id when the visitor chose it, with keys as soon as they rest.
 */
export class BoardTabs extends EventTarget {
  #list;
  #panel;
  /** @type {string | null} */
  #chosen = null;
  #passing = 0;

  /** @param {HTMLElement} list @param {HTMLElement} panel */
  constructor(list, panel) {
    super();
    this.#list = list;
    this.#panel = panel;
    list.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {readonly Board[]} boards @param {string} chosen */
  show(boards, chosen) {
    const key = JSON.stringify(boards.map(({ boardId, title }) => [boardId, title]));
    const hadFocus = this.#list.contains(document.activeElement);
    if (this.#list.dataset.key !== key) {
      this.#list.dataset.key = key;
      this.#list.replaceChildren(...boards.map((board) => this.#tab(board)));
    }
    const isPassing = this.#passing !== 0 && boards.some(({ boardId }) => boardId === this.#chosen);
    const marked = this.#mark(isPassing ? (this.#chosen ?? chosen) : chosen);
    if (hadFocus) marked?.focus();
  }

  /** The board whose tab is selected. */
  get chosen() {
    return this.#chosen;
  }

  /** @param {Board} board */
  #tab({ boardId, title }) {
    const tab = el("button", { type: "button", role: "tab", id: tabId(boardId), "aria-controls": this.#panel.id, "data-board": boardId }, title);
    tab.addEventListener("click", () => this.#choose(boardId));
    return tab;
  }

  /** @param {string} boardId */
  #choose(boardId) {
    if (boardId === this.#chosen && this.#passing === 0) return;
    this.#mark(boardId);
    this.#rest();
  }

  #rest() {
    clearTimeout(this.#passing);
    this.#passing = 0;
    this.dispatchEvent(new CustomEvent("choose", { detail: this.#chosen }));
  }

  /** @param {string} boardId @returns {HTMLElement | undefined} its tab */
  #mark(boardId) {
    const tabs = this.#tabs();
    for (const tab of tabs) {
      const isChosen = tab.dataset.board === boardId;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      if (isChosen) this.#reveal(tab);
    }
    this.#panel.setAttribute("aria-labelledby", tabId(boardId));
    this.#chosen = boardId;
    return tabs.find((tab) => tab.dataset.board === boardId);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const tabs = this.#tabs();
    const at = tabs.findIndex((tab) => tab.dataset.board === this.#chosen);
    /** @type {Record<string, number>} */
    const goals = { ArrowRight: (at + 1) % tabs.length, ArrowLeft: (at - 1 + tabs.length) % tabs.length, Home: 0, End: tabs.length - 1 };
    const goal = tabs[goals[event.key]];
    if (goal === undefined) return;
    event.preventDefault();
    if (goal !== tabs[at]) {
      this.#mark(goal.dataset.board ?? "");
      clearTimeout(this.#passing);
      this.#passing = window.setTimeout(() => this.#rest(), PASSING_MS);
    }
    goal.focus();
  }

  /** Scrolls the list sideways only. @param {HTMLElement} tab */
  #reveal(tab) {
    const { offsetLeft, offsetWidth } = tab;
    const { scrollLeft, clientWidth } = this.#list;
    if (offsetLeft < scrollLeft) this.#list.scrollLeft = offsetLeft;
    else if (offsetLeft + offsetWidth > scrollLeft + clientWidth) this.#list.scrollLeft = offsetLeft + offsetWidth - clientWidth;
  }

  /** @returns {HTMLElement[]} */
  #tabs() {
    return [...this.#list.querySelectorAll("[role=tab]")].map((tab) => /** @type {HTMLElement} */ (tab));
  }
}

/** @param {string} boardId */
function tabId(boardId) {
  return `tab-${boardId}`;
}
