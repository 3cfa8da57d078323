/** The chosen board: its heading, rows, and my place. */

import { LaurelError } from "../laurel.js";
import { BoardView } from "./board-view.js";
import { el } from "./dom.js";
import { foldInWords, localEnd, periodEnd, periodName } from "./periods.js";
import { counted } from "./numbers.js";
import { PlaceBar } from "./place-bar.js";

/** @typedef {import("./periods.js").Board} Board */

const TOTALS_EVERY_MS = 30_000;
/** A newcomer in the top makes the total worth asking for again. */
const TOTALS_SOON_MS = 4_000;
/** A list that goes on saying otherwise than the board is not asked for at every frame. */
const OUTDATED_EVERY_MS = 4_000;
/** The last board's rows fade into the next one's, but not for longer. */
const FADE_MS = 400;

/**
 * Follows one board at a time.
 *
 * Fires `state` as the live board does, `score` for the player's own, and `outdated` when the board has another period
 * than the list of boards said, or is gone.
 */
export class BoardPanel extends EventTarget {
  #laurel;
  #parts;
  #announcer;
  #view;
  #place;
  /** @type {import("../laurel.js").LiveBoard | null} */
  #live = null;
  /** @type {Board | null} */
  #board = null;
  #isFresh = true;
  #refreshedAt = -Infinity;
  #outdatedAt = -Infinity;
  #soon = 0;
  #fading = 0;

  /**
   * @param {import("../laurel.js").Laurel} laurel
   * @param {Record<"panel" | "title" | "period" | "total" | "note" | "rows" | "empty" | "between" | "place", HTMLElement>} parts
   * @param {import("./announcer.js").Announcer} announcer
   */
  constructor(laurel, parts, announcer) {
    super();
    this.#laurel = laurel;
    this.#parts = parts;
    this.#announcer = announcer;
    this.#view = new BoardView(parts.rows);
    this.#place = new PlaceBar(parts.place, laurel);
    window.setInterval(() => document.hidden || this.#refresh(), TOTALS_EVERY_MS);
    laurel.session.addEventListener("change", () => this.#playerChanged());
  }

  /** @param {Board} board */
  follow(board) {
    const isSame = board.boardId === this.#board?.boardId;
    this.#board = board;
    this.#heading();
    if (!isSame) this.#leave();
    if (board.period === null) this.#rest();
    this.#place.follow(board.period === null ? "" : board.boardId);
    if (isSame) return;
    this.#live?.close();
    this.#isFresh = true;
    this.#outdatedAt = -Infinity;
    this.#announcer.reset();
    if (board.period !== null) this.#parts.panel.setAttribute("aria-busy", "true");
    this.#live = this.#laurel.live(board.boardId);
    this.#listen(this.#live);
    this.#refresh();
  }

  /** Nothing of the last board stands under the next one's name. */
  #leave() {
    const { empty, between, total, note } = this.#parts;
    for (const part of [empty, between, note]) part.hidden = true;
    total.textContent = "";
    clearTimeout(this.#fading);
    this.#fading = window.setTimeout(() => this.#clear(), FADE_MS);
  }

  #clear() {
    clearTimeout(this.#fading);
    this.#view.show([], [], { ownId: null, isStill: true });
  }

  /** Between two seasons nothing is pushed and nobody stands anywhere. */
  #rest() {
    const { panel, rows, empty, between, total, note } = this.#parts;
    this.#clear();
    panel.removeAttribute("aria-busy");
    total.textContent = "";
    rows.hidden = true;
    empty.hidden = true;
    note.hidden = true;
    between.hidden = false;
  }

  /** @param {import("../laurel.js").LiveBoard} live */
  #listen(live) {
    live.addEventListener("change", (event) => live === this.#live && this.#changed(/** @type {CustomEvent} */ (event).detail));
    live.addEventListener("state", (event) => live === this.#live && this.#stateChanged(/** @type {CustomEvent} */ (event).detail));
    live.addEventListener("score", () => this.#place.refresh());
    live.addEventListener("overtaken", () => this.#place.refresh());
    this.#stateChanged({ state: live.state });
  }

  /** @param {{state: import("../laurel/live-board.js").LiveState}} detail */
  #stateChanged(detail) {
    if (detail.state === "live") this.#refresh();
    this.dispatchEvent(new CustomEvent("state", { detail }));
  }

  /** @param {import("../laurel/top-state.js").TopChange} change */
  #changed({ entries, moves, period, totalUsers, degraded }) {
    const ownId = this.#laurel.session.user?.userId ?? null;
    const wasEmpty = !this.#parts.empty.hidden;
    clearTimeout(this.#fading);
    this.#view.show(entries, wasEmpty ? [] : moves, { ownId, isStill: this.#isFresh });
    this.#isFresh = false;
    this.#parts.panel.removeAttribute("aria-busy");
    this.#parts.empty.hidden = entries.length > 0;
    this.#parts.rows.hidden = entries.length === 0;
    this.#parts.between.hidden = true;
    this.#announcer.board(entries, ownId);
    this.#place.topMoved(entries);
    this.#totals(totalUsers, degraded);
    if (moves.some(({ from }) => from === null)) this.#refreshSoon();
    this.#compare(period);
  }

  /** Says so when the list of boards is behind the board. @param {string | null} period */
  #compare(period) {
    const isOutdated = period !== (this.#board?.period?.id ?? null);
    if (!isOutdated || performance.now() < this.#outdatedAt + OUTDATED_EVERY_MS) return;
    this.#outdatedAt = performance.now();
    this.dispatchEvent(new Event("outdated"));
  }

  #playerChanged() {
    this.#announcer.reset();
    this.#place.refresh();
    const ownId = this.#laurel.session.user?.userId ?? null;
    if (this.#live === null || this.#isFresh) return;
    this.#view.show(this.#live.entries, [], { ownId, isStill: false });
    this.#announcer.board(this.#live.entries, ownId);
  }

  /** My rank may have changed. */
  scored() {
    this.#place.refresh();
    this.#refresh();
  }

  /** What is not pushed: how many play, how long the period lasts. */
  async #refresh() {
    clearTimeout(this.#soon);
    this.#refreshedAt = performance.now();
    this.#heading();
    if (!this.#board?.period) return; // there is nothing to ask for, nobody stands anywhere
    const board = this.#board.boardId;
    const top = await this.#laurel.top(board, { limit: 1 }).catch(LaurelError.from);
    if (board !== this.#board?.boardId) return;
    if (!(top instanceof LaurelError)) this.#totals(top.totalUsers, top.degraded);
    else if (top.status === 404) this.#compare(null);
  }

  #refreshSoon() {
    clearTimeout(this.#soon);
    this.#soon = window.setTimeout(() => this.#refresh(), Math.max(0, this.#refreshedAt + TOTALS_SOON_MS - performance.now()));
  }

  #heading() {
    const board = this.#board;
    if (board === null) return;
    const { title, period } = this.#parts;
    title.textContent = board.title;
    const words = [periodName(board), periodEnd(board), foldInWords(board)];
    period.replaceChildren(...words.filter((word) => word && word !== board.title).map((word) => el("span", {}, word)));
    period.title = localEnd(board);
  }

  /** @param {number | null} totalUsers @param {boolean | null} degraded */
  #totals(totalUsers, degraded) {
    const { total, note } = this.#parts;
    if (totalUsers !== null) total.textContent = totalUsers === 0 ? "" : counted(totalUsers, "player");
    if (degraded !== null) note.hidden = !degraded;
  }
}
