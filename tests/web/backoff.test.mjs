import assert from "node:assert/strict";
import { test } from "node:test";

import { fullJitterMs, pause, retryAfterSeconds } from "../../server/web/laurel/backoff.js";
import { LaurelError } from "../../server/web/laurel/errors.js";
import { repeatedly } from "../../server/web/laurel/retry.js";

const never = () => 0;
const always = () => 1;

test("the ceiling doubles up to the cap, the floor is zero", () => {
  const ceilings = [0, 1, 2, 3, 10, 5_000].map((attempt) => fullJitterMs(attempt, { firstMs: 100, longestMs: 700, random: always }));
  assert.deepEqual(ceilings, [100, 200, 400, 700, 700, 700]);
  assert.equal(fullJitterMs(9, { random: never }), 0);
});

test("Retry-After is seconds or a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(retryAfterSeconds("7", now), 7);
  assert.equal(retryAfterSeconds("-1", now), 0);
  assert.equal(retryAfterSeconds("Thu, 01 Jan 2026 00:00:30 GMT", now), 30);
  assert.equal(retryAfterSeconds("Wed, 31 Dec 2025 00:00:00 GMT", now), 0);
  assert.equal(retryAfterSeconds("soon", now), null);
  assert.equal(retryAfterSeconds("", now), null);
  assert.equal(retryAfterSeconds(null, now), null);
});

test("a pause ends early when aborted", async () => {
  const stop = new AbortController();
  const waiting = pause(60_000, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(pause(60_000, stop.signal), /enough/);
  await pause(0);
});

test("passing failures are repeated, others are not", async () => {
  const answers = [new LaurelError("unreachable"), new LaurelError("busy", { status: 503, retryAfterSeconds: 0 }), "done"];
  const ask = async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  assert.equal(await repeatedly(ask, { random: never }), "done");

  let asked = 0;
  const refuse = async () => {
    asked += 1;
    throw new LaurelError("cooldown", { status: 409 });
  };
  await assert.rejects(repeatedly(refuse), { code: "cooldown" });
  assert.equal(asked, 1);
});

test("a wait beyond the total time is not begun", async () => {
  let asked = 0;
  const refuse = async () => {
    asked += 1;
    throw new LaurelError("rate_limited", { status: 429, retryAfterSeconds: 3_600 });
  };
  await assert.rejects(repeatedly(refuse, { withinMs: 1_000 }), { code: "rate_limited", retryAfterSeconds: 3_600 });
  assert.equal(asked, 1);
});
