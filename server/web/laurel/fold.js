/** The top as a fold over numbered updates: pure functions. */

/**
 * @typedef {{userId: string, username: string, displayName: string, avatarUrl: string | null, score: number, rank: number}} Row
 * @typedef {{updatedPositions: readonly Row[], removed: readonly string[]}} Update
 * @typedef {{userId: string, from: number | null, to: number | null, scoreFrom: number | null, scoreTo: number | null}} Move
 * @typedef {{epoch: string, version: number}} Position
 */

/**
 * The top that an update leads to, sorted by rank.
 *
 * `updatedPositions` carries every row whose score, rank or profile changed, `removed` those that left.
 * @param {readonly Row[]} top
 * @param {Update} update
 * @returns {Row[]}
 */
export function applyUpdate(top, { updatedPositions, removed }) {
  const rows = new Map(top.map((row) => [row.userId, row]));
  for (const userId of removed) rows.delete(userId);
  for (const row of updatedPositions) rows.set(row.userId, row);
  return [...rows.values()].sort((a, b) => a.rank - b.rank);
}

/**
 * Who moved between two tops; null stands for "not in it".
 * @param {readonly Row[]} before
 * @param {readonly Row[]} after
 * @returns {Move[]}
 */
export function movesBetween(before, after) {
  const were = new Map(before.map((row) => [row.userId, row]));
  const are = new Map(after.map((row) => [row.userId, row]));
  return [...new Set([...are.keys(), ...were.keys()])]
    .map((userId) => {
      const was = were.get(userId);
      const is = are.get(userId);
      return { userId, from: was?.rank ?? null, to: is?.rank ?? null, scoreFrom: was?.score ?? null, scoreTo: is?.score ?? null };
    })
    .filter((move) => move.from !== move.to || move.scoreFrom !== move.scoreTo);
}

/**
 * What an update means to one who stands at a position.
 *
 * `old`: already in it. `apply`: it continues here. `gap`: something between is missing, ask for it.
 * @param {Position | null} position
 * @param {{epoch: string, version: number, previous: number}} update
 * @returns {"old" | "apply" | "gap"}
 */
export function judgeUpdate(position, { epoch, version, previous }) {
  if (position === null || position.epoch !== epoch) return "gap";
  if (version <= position.version) return "old";
  return previous === position.version ? "apply" : "gap";
}

/**
 * Whether a snapshot is behind what is already shown.
 * @param {Position | null} position
 * @param {{epoch: string | null, version: number | null}} snapshot
 */
export function isStale(position, { epoch, version }) {
  return position !== null && position.epoch === epoch && version !== null && version < position.version;
}
