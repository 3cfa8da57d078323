import assert from "node:assert/strict";
import { test } from "node:test";

import { afterClose, afterRefusal } from "../../server/web/laurel/close-codes.js";
import { LaurelError } from "../../server/web/laurel/errors.js";
import { Ladder } from "../../server/web/laurel/ladder.js";

const RUNGS = ["websocket", "events", "polling"];
const always = () => 1;

function failuresUntil(ladder, transport) {
  let failures = 0;
  for (; ladder.transport !== transport; failures += 1) ladder.failed();
  return failures;
}

test("it steps down by failures in a row and stays on the last", () => {
  const ladder = new Ladder(RUNGS);
  assert.equal(failuresUntil(ladder, "events"), 3);
  assert.equal(ladder.isOffline, true);
  assert.equal(failuresUntil(ladder, "polling"), 2);
  for (let more = 0; more < 20; more += 1) ladder.failed();
  assert.equal(ladder.transport, "polling");
  assert.deepEqual(ladder.above, ["websocket", "events"]);
});

test("what delivered is not left for a single failure", () => {
  const ladder = new Ladder(RUNGS);
  for (let round = 0; round < 10; round += 1) {
    ladder.failed();
    ladder.failed();
    ladder.delivered();
  }
  assert.equal(ladder.transport, "websocket");
  assert.equal(ladder.isOffline, false);
});

test("waits grow with failures and begin anew after a delivery", () => {
  const ladder = new Ladder(["polling"], always);
  assert.deepEqual([ladder.failed(), ladder.failed(), ladder.failed()], [500, 1_000, 2_000]);
  ladder.delivered();
  assert.equal(ladder.failed(), 500);
  ladder.forgive();
  assert.equal(ladder.failed(), 500);
});

test("climbing is tried soon, then ever more rarely", () => {
  const ladder = new Ladder(RUNGS, always);
  failuresUntil(ladder, "polling");
  ladder.delivered();
  assert.deepEqual(
    Array.from({ length: 6 }, () => ladder.climbAfterMs()),
    [1_000, 30_000, 60_000, 120_000, 300_000, 300_000],
  );
  ladder.climbedTo("events");
  assert.deepEqual(ladder.above, ["websocket"]);
  ladder.climbedTo("websocket");
  assert.equal(ladder.climbAfterMs(), 1_000);
});

test("a transport that cannot work is dropped, the last one stays", () => {
  const ladder = new Ladder(RUNGS);
  ladder.drop("websocket");
  assert.equal(ladder.transport, "events");
  ladder.drop("events");
  ladder.drop("polling");
  assert.equal(ladder.transport, "polling");

  const below = new Ladder(RUNGS);
  failuresUntil(below, "polling");
  below.drop("websocket");
  assert.equal(below.transport, "polling", "dropping a better one leaves the present one");
  assert.deepEqual(below.above, ["events"]);
});

test("close codes say whether to come back", () => {
  const verdictOf = (code, reason = "") => afterClose(code, reason).verdict;
  assert.deepEqual(afterClose(1001, '{"reconnectAfterMs":750}'), { verdict: "moved", afterMs: 750, code: "closed_1001" });
  assert.equal(verdictOf(1001), "reconnect", "going away without a time");
  assert.equal(verdictOf(1001, '{"reconnectAfterMs":-5}'), "reconnect");
  assert.equal(afterClose(1001, '{"reconnectAfterMs":1e12}').afterMs, 120_000);
  assert.equal(verdictOf(1006), "reconnect");
  assert.equal(verdictOf(4408), "reconnect");
  assert.equal(verdictOf(1009), "unusable");
  assert.equal(verdictOf(4400), "unusable");
  assert.equal(verdictOf(4401), "unauthorized");
  assert.deepEqual(afterClose(1013, ""), { verdict: "later", afterMs: 5_000, code: "closed_1013" });
  assert.equal(afterClose(1013, '{"reconnectAfterMs":9000}').afterMs, 9_000);
  assert.equal(afterClose(4429, "null").afterMs, 10_000);
});

test("refusals over HTTP say the same", () => {
  const verdictOf = (code, about) => afterRefusal(new LaurelError(code, about)).verdict;
  assert.equal(verdictOf("token_expired", { status: 401 }), "unauthorized");
  assert.equal(verdictOf("not_found", { status: 404 }), "gone");
  assert.equal(verdictOf("http_404", { status: 404 }), "unusable", "a proxy that does not know the path");
  assert.equal(verdictOf("forbidden", { status: 403 }), "unusable");
  assert.equal(verdictOf("unreachable"), "reconnect");
  assert.equal(verdictOf("busy", { status: 503 }), "reconnect");
  assert.deepEqual(afterRefusal(new LaurelError("rate_limited", { status: 429, retryAfterSeconds: 4 })), {
    verdict: "later",
    afterMs: 4_000,
    code: "rate_limited",
  });
});

test("a transport that is full is left at once", () => {
  const ladder = new Ladder(["events", "polling"]);
  assert.equal(ladder.stepDown(), true);
  assert.equal(ladder.transport, "polling");
  assert.equal(ladder.stepDown(), false);
  assert.equal(ladder.isOffline, false);
});
