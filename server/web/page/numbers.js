/** Scores, ranks and durations in words. */

const WHOLE = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const SIGNED = new Intl.NumberFormat("en", { signDisplay: "exceptZero" });
const ORDINAL = new Intl.PluralRules("en", { type: "ordinal" });
/** @type {Record<string, string>} */
const ORDINAL_ENDS = { one: "st", two: "nd", few: "rd", other: "th" };
/** Longer ones do not fit a narrow column. */
const LONGEST_WHOLE = 1e10;

/** @param {number} value */
export function score(value) {
  return (Math.abs(value) < LONGEST_WHOLE ? WHOLE : SHORT).format(value);
}

/** @param {number} value */
export function signed(value) {
  return SIGNED.format(value);
}

/** @param {number} value */
export function ordinal(value) {
  return `${WHOLE.format(value)}${ORDINAL_ENDS[ORDINAL.select(value)]}`;
}

/** @param {number} count @param {string} noun @param {string} [plural] */
export function counted(count, noun, plural = `${noun}s`) {
  return `${WHOLE.format(count)} ${count === 1 ? noun : plural}`;
}

const SPANS = /** @type {const} */ ([
  [86_400, "d", "day"],
  [3_600, "h", "hour"],
  [60, "min", "minute"],
  [1, "s", "second"],
]);

/** Its two largest parts: `2 d 4 h`, `5 s`. @param {number} seconds */
export function span(seconds) {
  return parts(seconds).map(([count, short]) => `${count} ${short}`).join(" ") || "0 s";
}

/** Its two largest parts in full: `2 days 4 hours`. @param {number} seconds */
export function spanInFull(seconds) {
  return parts(seconds).map(([count, , long]) => counted(count, long)).join(" ") || "0 seconds";
}

/** @param {number} seconds @returns {[number, string, string][]} */
function parts(seconds) {
  let rest = Math.ceil(seconds);
  /** @type {[number, string, string][]} */
  const found = [];
  for (const [size, short, long] of SPANS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) found.push([count, short, long]);
    else if (found.length > 0) break;
    if (found.length === 2) break;
  }
  return found;
}

/** A stopwatch: `0:07`, `12:30`, `1:02:03`. @param {number} ms */
export function clock(ms) {
  const seconds = Math.trunc(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const tail = `${h > 0 ? String(m).padStart(2, "0") : m}:${String(s).padStart(2, "0")}`;
  return h > 0 ? `${h}:${tail}` : tail;
}
