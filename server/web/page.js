/** Laurel's own page: builds its parts and connects them. */

import { Laurel, repeatedly } from "./laurel.js";
import { AccountMenu } from "./page/account-menu.js";
import { Announcer } from "./page/announcer.js";
import { BoardPanel } from "./page/board-panel.js";
import { BoardTabs } from "./page/board-tabs.js";
import { ConnectionPill } from "./page/connection-pill.js";
import { PlayPanel } from "./page/play-panel.js";
import { RunningTickets } from "./page/running-tickets.js";
import { SessionForm } from "./page/session-form.js";
import { SessionKeeper } from "./page/session-keeper.js";

/** @typedef {import("./page/periods.js").Board} Board */

const DEFAULT_BOARD = "global";

/** @param {string} id @returns {any} an element the page is written with */
const part = (id) => document.getElementById(id);

const keeper = new SessionKeeper();
const laurel = new Laurel({ store: keeper });
keeper.watch(() => laurel.session.reload());

const pill = new ConnectionPill(part("pill"));
const panel = new BoardPanel(
  laurel,
  {
    panel: part("board"),
    title: part("board-title"),
    period: part("board-period"),
    total: part("board-total"),
    note: part("board-note"),
    rows: part("rows"),
    empty: part("empty"),
    between: part("between"),
    place: part("place"),
  },
  new Announcer(part("announcer")),
);
const tabs = new BoardTabs(part("tabs"), part("board"));
const form = new SessionForm(part("session"), laurel, keeper);
const play = new PlayPanel(part("actions"), {
  laurel,
  tickets: new RunningTickets(),
  onCounted: () => panel.scored(),
  onStranger: () => form.invite(),
});
new AccountMenu(part("account"), laurel);

/** @type {Map<string, Board>} */
let boards = new Map();

/** The board named in the address, if there is such a one. */
function boardOfAddress() {
  const named = location.hash.slice(1);
  const fallback = boards.has(DEFAULT_BOARD) ? DEFAULT_BOARD : [...boards.keys()][0];
  return boards.has(named) ? named : fallback;
}

async function refreshBoards() {
  const all = /** @type {Board[]} */ (await repeatedly(() => laurel.boards(), { withinMs: Infinity }));
  boards = new Map(all.map((board) => [board.boardId, board]));
  const chosen = boardOfAddress();
  if (chosen !== undefined) choose(chosen);
}

/** @param {string} boardId */
function choose(boardId) {
  const board = boards.get(boardId);
  if (board === undefined) return;
  tabs.show([...boards.values()], boardId);
  panel.follow(board);
}

let wasAway = false;
panel.addEventListener("state", (event) => {
  const { state } = /** @type {CustomEvent} */ (event).detail;
  pill.show(state);
  if (state === "offline") wasAway = true;
  else if (wasAway && state !== "connecting") {
    wasAway = false; // the server is back, perhaps with another catalogue
    play.refresh();
    refreshBoards();
  }
});
panel.addEventListener("period", refreshBoards);
tabs.addEventListener("choose", (event) => {
  const boardId = /** @type {CustomEvent<string>} */ (event).detail;
  if (boardId !== boardOfAddress()) history.replaceState(null, "", boardId === DEFAULT_BOARD ? location.pathname : `#${boardId}`);
  choose(boardId);
});
addEventListener("hashchange", () => choose(boardOfAddress()));
part("invite").addEventListener("click", () => (laurel.session.isSignedIn ? part("play").scrollIntoView() : form.invite()));

refreshBoards();
play.refresh();
