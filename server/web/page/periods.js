/** Which time a board is about, in words. */

import { span } from "./numbers.js";

const MONTH = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
const DATES = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const LOCAL = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "short" });

/** @type {Record<string, string>} */
const FOLDS = { sum: "All points add up", best: "The best single result counts", last: "The latest result counts" };

/** @typedef {{boardId: string, title: string, fold: string, window: string, frozen: boolean,
 *             period: {id: string, start: string | null, end: string | null} | null}} Board the period is null between seasons */

/** `Week 44 of 2026`, `Saturday 31 October`, `All time`. @param {Board} board */
export function periodName({ window, period, title }) {
  if (period === null) return "No season now";
  const week = /^(\d{4})-W(\d{2})$/.exec(period.id);
  if (week !== null) return `Week ${Number(week[2])} of ${week[1]}`;
  if (/^\d{4}-\d{2}-\d{2}$/.test(period.id)) return DAY.format(new Date(`${period.id}T00:00:00Z`));
  if (/^\d{4}-\d{2}$/.test(period.id)) return MONTH.format(new Date(`${period.id}-01T00:00:00Z`));
  if (period.start && period.end) return DATES.formatRange(new Date(period.start), new Date(Date.parse(period.end) - 1));
  return window === "all" ? "All time" : title;
}

/** When it ends, null when it never does. @param {Board} board @param {number} [nowMs] */
export function periodEnd({ period, frozen }, nowMs = Date.now()) {
  if (frozen) return "frozen: the results stand";
  if (!period?.end) return null;
  const leftMs = Date.parse(period.end) - nowMs;
  return leftMs > 0 ? `ends in ${span(leftMs > 60_000 ? Math.ceil(leftMs / 60_000) * 60 : leftMs / 1000)}` : "has ended";
}

/** The end on the viewer's own clock. @param {Board} board */
export function localEnd({ period }) {
  return period?.end ? LOCAL.format(new Date(period.end)) : "";
}

/** @param {Board} board */
export function foldInWords({ fold }) {
  return FOLDS[fold] ?? "";
}
