/** What a viewer knows of one board's top. */

import { applyUpdate, isStale, judgeUpdate, movesBetween } from "./fold.js";

/** @typedef {import("./fold.js").Row} Row */
/** @typedef {import("./fold.js").Move} Move */

/**
 * @typedef {object} TopChange
 * @property {readonly Row[]} entries
 * @property {readonly Move[]} moves
 * @property {boolean} isSnapshot
 * @property {boolean} isNewPeriod
 * @property {string | null} period
 * @property {string | null} epoch
 * @property {number | null} version
 * @property {number | null} totalUsers only from a read
 * @property {boolean | null} degraded only from a read
 */

/** The rows and their place in the board's numbered history. */
export class TopState {
  /** @type {readonly Row[]} */
  entries = [];
  /** @type {import("./fold.js").Position | null} null: only a snapshot can go on from here */
  position = null;
  /** @type {string | null} */
  period = null;

  /**
   * Takes a snapshot, unless it is behind what is known.
   * @param {{period: any, epoch: string | null, version: number | null,
   *          data: {entries: Row[], totalUsers?: number, degraded?: boolean}}} frame
   * @returns {TopChange | null}
   */
  takeSnapshot({ period, epoch, version, data }) {
    if (isStale(this.position, { epoch, version })) return null;
    const position = epoch !== null && version !== null ? { epoch, version } : null;
    const totals = { totalUsers: data.totalUsers ?? null, degraded: data.degraded ?? null };
    return this.#become([...data.entries], position, periodId(period), { isSnapshot: true, ...totals });
  }

  /**
   * Takes an update that continues here; says why not else.
   * @param {import("./fold.js").Update & {period: any, epoch: string, version: number, previous: number}} update
   * @returns {TopChange | "old" | "gap"}
   */
  takeUpdate({ period, epoch, version, previous, updatedPositions, removed }) {
    const judgement = judgeUpdate(this.position, { epoch, version, previous });
    if (judgement !== "apply") return judgement;
    const entries = applyUpdate(this.entries, { updatedPositions, removed });
    return this.#become(entries, { epoch, version }, periodId(period), { isSnapshot: false, totalUsers: null, degraded: null });
  }

  /** Nothing but a snapshot will do from now on. */
  lose() {
    this.position = null;
  }

  /**
   * @param {readonly Row[]} entries
   * @param {import("./fold.js").Position | null} position
   * @param {string | null} period
   * @param {{isSnapshot: boolean, totalUsers: number | null, degraded: boolean | null}} rest
   * @returns {TopChange}
   */
  #become(entries, position, period, rest) {
    const moves = movesBetween(this.entries, entries);
    const isNewPeriod = this.period !== null && this.period !== period;
    this.entries = entries;
    this.position = position;
    this.period = period;
    return { entries, moves, isNewPeriod, period, epoch: position?.epoch ?? null, version: position?.version ?? null, ...rest };
  }
}

/** A period by its id, whether it came whole or as the id. @param {any} period @returns {string | null} */
function periodId(period) {
  return (typeof period === "object" ? period?.id : period) ?? null;
}
