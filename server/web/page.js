/** Laurel's own page: builds its parts and connects them. */

import { Laurel, repeatedly } from "./laurel.js";
import { AccountMenu } from "./page/account-menu.js";
import { Announcer } from "./page/announcer.js";
import { nameOf } from "./page/avatar.js";
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
const tickets = new RunningTickets(keeper);
const announcer = new Announcer(part("announcer"));
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
  announcer,
);
const tabs = new BoardTabs(part("tabs"), part("board"));
const form = new SessionForm(part("session"), laurel, keeper);
const play = new PlayPanel(part("actions"), {
  laurel,
  tickets,
  onCounted: () => panel.scored(),
  onStranger: () => form.invite(),
});
new AccountMenu(part("account"), laurel);

/** @type {Map<string, Board>} */
let boards = new Map();

/** @type {Promise<void> | null} */
let refreshing = null;

/** The board named in the address; if there is no such one, that which is shown. */
function boardOfAddress() {
  const named = location.hash.slice(1) || DEFAULT_BOARD;
  return [named, tabs.chosen, DEFAULT_BOARD].find((boardId) => boards.has(boardId ?? "")) ?? [...boards.keys()][0];
}

/** Asks until an answer comes, once for all who wish it meanwhile. */
function refreshBoards() {
  refreshing ??= readBoards().finally(() => {
    refreshing = null;
  });
}

async function readBoards() {
  const all = /** @type {Board[]} */ (await repeatedly(() => laurel.boards(), { withinMs: Infinity }));
  boards = new Map(all.map((board) => [board.boardId, board]));
  showBoard();
}

function showBoard() {
  const board = boards.get(boardOfAddress());
  if (board === undefined) return;
  tabs.show([...boards.values()], board.boardId);
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
panel.addEventListener("outdated", refreshBoards);
tabs.addEventListener("choose", (event) => {
  const boardId = /** @type {CustomEvent<string>} */ (event).detail;
  history.replaceState(null, "", boardId === DEFAULT_BOARD ? location.pathname : `#${boardId}`);
  showBoard();
  refreshBoards();
});
addEventListener("hashchange", showBoard);
laurel.session.addEventListener("change", (event) => {
  const { user, reason } = /** @type {CustomEvent} */ (event).detail;
  tickets.keep();
  if (reason !== "login" && reason !== "logout") return;
  part("play-title").focus({ preventScroll: true }); // what had the focus is hidden now
  announcer.sayNow(user === null ? "Signed out." : `Signed in as ${nameOf(user)}.`);
});
part("skip").addEventListener("click", (/** @type {MouseEvent} */ event) => {
  event.preventDefault(); // the address names the board
  part("board").focus();
});
part("invite").addEventListener("click", () => (laurel.session.isSignedIn ? part("play").scrollIntoView() : form.invite()));

refreshBoards();
play.refresh();
