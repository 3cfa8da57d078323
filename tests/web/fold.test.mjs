import assert from "node:assert/strict";
import { test } from "node:test";

import { applyUpdate, isStale, judgeUpdate, movesBetween } from "../../server/web/laurel/fold.js";
import { hashedText, topHash } from "../../server/web/laurel/hash.js";

const TOP_SIZE = 10;

/** Numbers that are the same in every run. */
function numbersFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function row(userId, score, rank, username = userId) {
  return { userId, username, displayName: userId, avatarUrl: null, score, rank };
}

function topOf(scores) {
  return [...scores.entries()]
    .sort(([a, scoreA], [b, scoreB]) => scoreB - scoreA || (a < b ? 1 : -1))
    .slice(0, TOP_SIZE)
    .map(([userId, score], index) => row(userId, score, index + 1));
}

/** What a server would push between two tops. */
function updateBetween(before, after) {
  const were = new Map(before.map((is) => [is.userId, JSON.stringify(is)]));
  const stay = new Set(after.map(({ userId }) => userId));
  return {
    updatedPositions: after.filter((is) => were.get(is.userId) !== JSON.stringify(is)),
    removed: before.map(({ userId }) => userId).filter((userId) => !stay.has(userId)),
  };
}

test("an update moves, adds and removes rows, in rank order", () => {
  const before = [row("a", 30, 1), row("b", 20, 2), row("c", 10, 3)];
  const after = applyUpdate(before, { updatedPositions: [row("d", 40, 1), row("a", 30, 2), row("b", 20, 3)], removed: ["c"] });
  assert.deepEqual(after.map(({ userId }) => userId), ["d", "a", "b"]);
  assert.deepEqual(before.map(({ userId }) => userId), ["a", "b", "c"], "the old top is left alone");
});

test("a changed profile replaces the row in place", () => {
  const after = applyUpdate([row("a", 3, 1)], { updatedPositions: [row("a", 3, 1, "new name")], removed: [] });
  assert.equal(after[0].username, "new name");
});

test("folding updates gives what the snapshots give", () => {
  const random = numbersFrom(7);
  const scores = new Map();
  let shown = [];
  let truth = [];
  for (let step = 0; step < 2_000; step += 1) {
    const userId = `user-${Math.floor(random() * 25)}`;
    if (random() < 0.1) scores.delete(userId);
    else scores.set(userId, Math.floor(random() * 50) - 10);
    const next = topOf(scores);
    if (random() < 0.3) continue; // merged: the next update jumps
    shown = applyUpdate(shown, updateBetween(truth, next));
    truth = next;
    assert.deepEqual(shown, truth);
  }
});

test("moves name who came, went, rose and scored", () => {
  const before = [row("a", 30, 1), row("b", 20, 2), row("c", 10, 3)];
  const after = [row("b", 40, 1), row("a", 30, 2), row("d", 15, 3)];
  assert.deepEqual(movesBetween(before, after), [
    { userId: "b", from: 2, to: 1, scoreFrom: 20, scoreTo: 40 },
    { userId: "a", from: 1, to: 2, scoreFrom: 30, scoreTo: 30 },
    { userId: "d", from: null, to: 3, scoreFrom: null, scoreTo: 15 },
    { userId: "c", from: 3, to: null, scoreFrom: 10, scoreTo: null },
  ]);
  assert.deepEqual(movesBetween(after, after), []);
});

test("an update is applied only where it continues", () => {
  const here = { epoch: "e1", version: 5 };
  assert.equal(judgeUpdate(here, { epoch: "e1", version: 6, previous: 5 }), "apply");
  assert.equal(judgeUpdate(here, { epoch: "e1", version: 9, previous: 5 }), "apply", "merged changes jump");
  assert.equal(judgeUpdate(here, { epoch: "e1", version: 5, previous: 4 }), "old");
  assert.equal(judgeUpdate(here, { epoch: "e1", version: 7, previous: 6 }), "gap");
  assert.equal(judgeUpdate(here, { epoch: "e1", version: 7, previous: 4 }), "gap", "it began before us and ends after us");
  assert.equal(judgeUpdate(here, { epoch: "e2", version: 6, previous: 5 }), "gap");
  assert.equal(judgeUpdate(null, { epoch: "e1", version: 1, previous: 0 }), "gap");
});

test("a snapshot is stale only within its epoch", () => {
  const here = { epoch: "e1", version: 5 };
  assert.equal(isStale(here, { epoch: "e1", version: 4 }), true);
  assert.equal(isStale(here, { epoch: "e1", version: 5 }), false);
  assert.equal(isStale(here, { epoch: "e2", version: 1 }), false);
  assert.equal(isStale(here, { epoch: null, version: null }), false);
  assert.equal(isStale(null, { epoch: "e1", version: 0 }), false);
});

test("the hash is over userId:score in rank order", async () => {
  const top = [row("a", 30, 1), row("b", -2, 2)];
  assert.equal(hashedText(top), "a:30,b:-2");
  // printf 'a:30,b:-2' | sha256sum | cut -c1-16
  assert.equal(await topHash(top), "47b36f9c2e37d91a");
  assert.equal(await topHash([]), "e3b0c44298fc1c14");
});
