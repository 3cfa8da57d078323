/** One action: start it, wait, redeem it. */

import { LaurelError } from "../laurel.js";
import { el, spoken } from "./dom.js";
import { clock, signed, span } from "./numbers.js";
import { Outcome } from "./outcome.js";
import { isInstant, policyFacts } from "./policy.js";
import { leavesTicketAlive, passesByWaiting, refusal } from "./refusals.js";
import { ProofWidget } from "./proof-widget.js";
import { Ring } from "./ring.js";

const TICK_MS = 100;
/** After this long the player is told what takes so long. */
const SLOW_MS = 3_000;
const SLOW_SERVER = "The server is slow to answer.";
/** Repeated until it is known, and when the server says so, after a rest. */
const SLOW_COUNT = "This takes longer than usual. Still trying; it can only count once.";

/** @typedef {import("./policy.js").Action} Action */

/**
 * @typedef {object} Stage
 * @property {import("../laurel.js").Laurel} laurel
 * @property {import("./running-tickets.js").RunningTickets} tickets
 * @property {(result: object) => void} onCounted
 * @property {() => void} onStranger somebody pressed who is not signed in
 */

/** A card that is idle or has a ticket under way. */
export class ActionCard {
  #action;
  #stage;
  #ring = new Ring();
  #headline = el("p", { class: "headline" });
  #hint = el("p", { class: "hint" });
  #go;
  #drop;
  #outcome = new Outcome();
  #proof;
  #asksProof;
  #running;
  /** @type {import("../laurel.js").Ticket | null} */
  #ticket = null;
  #ticking = 0;
  #slow = 0;
  #isBusy = false;
  /** @type {Promise<void>} what was last begun here */
  #doing = Promise.resolve();
  #wasReady = false;
  /** @type {string | undefined} an instant action whose outcome is unknown is repeated with its key */
  #openKey;

  /** @param {Action} action @param {Stage} stage */
  constructor(action, stage) {
    this.#action = action;
    this.#stage = stage;
    this.#proof = new ProofWidget(stage.laurel, action.actionId);
    this.#asksProof = action.proof === "always";
    const titleId = `action-${action.actionId}`;
    this.#go = el("button", { type: "button", class: "button", "aria-describedby": titleId });
    this.#drop = el("button", { type: "button", class: "button quiet", "aria-describedby": titleId }, "Give up");
    this.#running = el("div", { class: "running", hidden: true }, this.#ring.element, el("div", {}, this.#headline, this.#hint));
    this.element = el(
      "li",
      { class: "action" },
      el("div", { class: "action-head" }, el("h3", { id: titleId }, action.title), el("span", { class: "points" }, signed(action.points), spoken(" points"))),
      el("ul", { class: "facts" }, ...policyFacts(action).map((fact) => el("li", {}, fact))),
      this.#running,
      this.#proof.element,
      this.#outcome.element,
      el("div", { class: "buttons" }, this.#go, this.#drop),
    );
    // The second click of a double click would meet the button's next meaning.
    this.#go.addEventListener("click", ({ detail }) => detail > 1 || this.#pressed());
    this.#drop.addEventListener("click", () => this.#giveUp());
    this.playerChanged();
  }

  /** Takes up what this player had under way. */
  playerChanged() {
    const { user } = this.#stage.laurel.session;
    clearTimeout(this.#slow);
    this.#outcome.clear();
    this.#openKey = undefined;
    this.#proof.forget();
    this.#follow(user === null ? null : this.#stage.tickets.find(user.userId, this.#action.actionId));
  }

  /** Ends when nothing is under way between this card and the server. */
  async stop() {
    await Promise.allSettled([this.#doing]);
    clearInterval(this.#ticking);
  }

  // -- doing --------------------------------------------------------------------------------------------------------

  #pressed() {
    if (this.#isBusy) return;
    if (!this.#stage.laurel.session.isSignedIn) return this.#stage.onStranger();
    if (isInstant(this.#action)) this.#doing = this.#do("Counting…", (userId) => this.#act(userId));
    else if (this.#ticket === null) this.#doing = this.#do("Starting…", (userId) => this.#start(userId));
    else this.#doing = this.#do("Redeeming…", (userId) => this.#redeem(userId));
  }

  /**
   * Whoever is signed in when it ends, what comes of it is that player's who pressed.
   * @param {string} words
   * @param {(userId: string) => Promise<void>} work
   */
  async #do(words, work) {
    const userId = this.#userId;
    this.#isBusy = true;
    this.#go.textContent = words;
    this.#go.setAttribute("aria-disabled", "true");
    try {
      await work(userId);
    } catch (error) {
      if (!(error instanceof LaurelError)) throw error;
      if (userId === this.#userId || !this.#stage.laurel.session.isSignedIn) this.#refused(error);
    } finally {
      clearTimeout(this.#slow);
      this.#isBusy = false;
      this.#go.removeAttribute("aria-disabled");
      this.#show();
    }
  }

  /** What to say if it takes long from here on. @param {string} words */
  #ifSlow(words) {
    clearTimeout(this.#slow);
    this.#slow = window.setTimeout(() => this.#outcome.note(words), SLOW_MS);
  }

  /** @param {string} userId */
  async #start(userId) {
    this.#ifSlow(SLOW_SERVER);
    const proof = this.#asksProof ? await this.#prove() : undefined;
    const ticket = await this.#stage.laurel.start(this.#action.actionId, { proof, prove: () => this.#prove() });
    this.#stage.tickets.started(userId, ticket);
    if (userId !== this.#userId) return;
    this.#outcome.clear();
    this.#follow(ticket);
    if (this.#asksProof) this.#proof.prepare(); // for the next round, while this one is played
  }

  async #prove() {
    this.#asksProof = true;
    this.#ifSlow("Working out the proof…");
    const proof = await this.#proof.take();
    this.#ifSlow(SLOW_SERVER);
    return proof;
  }

  /** @param {string} userId */
  async #redeem(userId) {
    const ticket = this.#ticket;
    this.#ifSlow(SLOW_COUNT);
    if (ticket !== null) this.#counted(userId, await this.#stage.laurel.redeem(ticket));
  }

  /** @param {string} userId */
  async #act(userId) {
    this.#ifSlow(SLOW_COUNT);
    this.#openKey ??= crypto.getRandomValues(new Uint32Array(4)).join("-");
    const result = await this.#stage.laurel.act(this.#action.actionId, { idempotencyKey: this.#openKey });
    if (userId === this.#userId) this.#openKey = undefined;
    this.#counted(userId, result);
  }

  /** @param {string} userId @param {import("./outcome.js").Redemption} result */
  #counted(userId, result) {
    this.#stage.tickets.counted(userId, this.#action.actionId);
    if (userId !== this.#userId) return;
    this.#follow(null);
    this.#outcome.praise(result);
    this.#stage.onCounted(result);
  }

  /** @param {LaurelError} error */
  #refused(error) {
    if (!error.isPassing) this.#openKey = undefined;
    this.#outcome.refuse(refusal(error, this.#action), passesByWaiting(error));
    if (this.#ticket === null || leavesTicketAlive(error)) return;
    this.#stage.tickets.dropped(this.#userId, this.#action.actionId);
    this.#follow(null);
  }

  #giveUp() {
    this.#stage.tickets.dropped(this.#userId, this.#action.actionId);
    this.#outcome.clear();
    this.#follow(null);
    this.#go.focus();
  }

  get #userId() {
    return this.#stage.laurel.session.user?.userId ?? "";
  }

  // -- showing ------------------------------------------------------------------------------------------------------

  /** @param {import("../laurel.js").Ticket | null} ticket */
  #follow(ticket) {
    clearInterval(this.#ticking);
    this.#ticket = ticket;
    this.#wasReady = false;
    this.element.classList.toggle("under-way", ticket !== null);
    if (ticket !== null || this.#restMs > 0) this.#ticking = window.setInterval(() => this.#show(), TICK_MS);
    this.#show();
  }

  get #restMs() {
    return this.#stage.tickets.restMs(this.#userId, this.#action);
  }

  #show() {
    this.#running.hidden = this.#ticket === null;
    this.#drop.hidden = this.#ticket === null;
    if (this.#ticket === null) this.#showIdle();
    else if (this.#ticket.expiresInMs() === 0 && !this.#isBusy) this.#expired();
    else this.#showRunning(this.#ticket);
  }

  #showIdle() {
    const restMs = isInstant(this.#action) ? this.#restMs : 0;
    if (restMs === 0) clearInterval(this.#ticking);
    this.#go.classList.toggle("early", restMs > 0);
    if (this.#isBusy) return;
    const word = isInstant(this.#action) ? "Do it" : "Start";
    write(this.#go, restMs > 0 ? `In ${span(restMs / 1000)}` : word);
  }

  /** @param {import("../laurel.js").Ticket} ticket */
  #showRunning(ticket) {
    const waitMs = Math.max(ticket.redeemableInMs(), this.#restMs);
    const isReady = waitMs === 0;
    const wholeMs = ticket.ageMs() + waitMs;
    this.#ring.show(isReady ? 1 : ticket.ageMs() / wholeMs, clock(ticket.ageMs()));
    write(this.#headline, isReady ? "Ready to redeem" : "Under way");
    write(this.#hint, isReady ? `expires in ${span(ticket.expiresInMs() / 1000)}` : `redeemable in ${span(waitMs / 1000)}`);
    this.element.classList.toggle("ready", isReady);
    this.#go.classList.toggle("early", !isReady);
    if (!this.#isBusy) write(this.#go, "Redeem");
    if (isReady && !this.#wasReady && !this.#isBusy) this.#outcome.tell(`${this.#action.title} is ready to redeem.`);
    this.#wasReady = isReady;
  }

  #expired() {
    this.#stage.tickets.dropped(this.#userId, this.#action.actionId);
    this.#follow(null);
    this.#outcome.refuse(refusal(new LaurelError("ticket_expired"), this.#action), false);
  }
}

/** Leaves words that stand there already: they may be selected, or be just read out. @param {HTMLElement} element @param {string} words */
function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}
