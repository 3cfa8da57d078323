import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";

import { Laurel, LaurelError } from "../../server/web/laurel.js";

const closing = [];
after(() => closing.forEach((close) => close()));

/** A server on loopback that answers by these functions; it remembers what it was asked. */
async function serving(routes) {
  const asked = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url, "http://localhost");
    const call = { route: `${request.method} ${url.pathname}`, url, headers: request.headers, body: text && JSON.parse(text) };
    asked.push(call);
    const answer = routes[call.route]?.(call, response);
    if (answer === undefined) return;
    const [status, body, headers = {}] = answer;
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(status === 304 ? undefined : JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => (server.closeAllConnections(), server.close()));
  return { asked, baseUrl: `http://127.0.0.1:${server.address().port}/` };
}

const USER = { userId: "u1", username: "ada", displayName: "Ada", avatarUrl: null, region: null, role: "player" };
const entered = (accessToken, refreshToken) => [200, { accessToken, tokenType: "Bearer", expiresIn: 900, refreshToken, user: USER }];
const problem = (status, code, facts = {}, headers = {}) => [status, { type: "about:blank", title: code, status, code, detail: "no", ...facts }, headers];
const nextOf = (target, type) => new Promise((resolve) => target.addEventListener(type, ({ detail }) => resolve(detail), { once: true }));

test("a refusal carries its facts", async () => {
  const { baseUrl } = await serving({
    "POST /api/v1/auth/login": () => problem(401, "login_failed"),
    "POST /api/v1/tickets": () => problem(409, "cooldown", { availableAt: "2026-01-01T00:00:00.000Z" }, { "Retry-After": "12" }),
  });
  const laurel = new Laurel({ baseUrl });
  await assert.rejects(laurel.login("ada", "wrong"), { name: "LaurelError", code: "login_failed", status: 401, detail: "no" });
  await assert.rejects(laurel.start("sprint"), (error) => {
    assert.ok(error instanceof LaurelError);
    assert.equal(error.retryAfterSeconds, 12);
    assert.deepEqual(error.facts, { availableAt: "2026-01-01T00:00:00.000Z" });
    return true;
  });
});

test("redeeming is repeated until there is an answer", async () => {
  let calls = 0;
  const { asked, baseUrl } = await serving({
    "POST /api/v1/tickets/redeem": (_call, response) => {
      calls += 1;
      if (calls === 1) return void response.destroy(); // the answer is lost on the way
      if (calls === 2) return problem(503, "busy", {}, { "Retry-After": "0" });
      return [200, { success: true, replayed: true, newScore: 5 }];
    },
  });
  const result = await new Laurel({ baseUrl, token: "t" }).redeem("signed");
  assert.equal(result.newScore, 5);
  assert.deepEqual(asked.map(({ body }) => body), Array(3).fill({ ticket: "signed" }));
  assert.equal(asked[0].headers.authorization, "Bearer t");
});

test("an instant action keeps its key over repetitions", async () => {
  let calls = 0;
  const { asked, baseUrl } = await serving({
    "POST /api/v1/tickets/redeem": () => {
      calls += 1;
      return calls === 1 ? problem(503, "busy", {}, { "Retry-After": "0" }) : [200, { success: true }];
    },
  });
  const laurel = new Laurel({ baseUrl });
  await laurel.act("daily");
  await laurel.act("daily");
  const keys = asked.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(keys[0], keys[1]);
  assert.notEqual(keys[1], keys[2]);
  assert.deepEqual(asked[0].body, { actionId: "daily" });
});

test("an expired token is renewed once for all who wait", async () => {
  const { asked, baseUrl } = await serving({
    "POST /api/v1/auth/login": () => entered("old", "r1"),
    "POST /api/v1/auth/refresh": () => entered("new", "r2"),
    "GET /api/v1/me": ({ headers }) => (headers.authorization === "Bearer new" ? [200, { userId: "u1" }] : problem(401, "token_expired")),
  });
  let stored = null;
  const store = { load: () => stored, save: (tokens) => (stored = tokens) };
  const laurel = new Laurel({ baseUrl, store });
  await laurel.login("ada", "secret");
  await Promise.all([laurel.me(), laurel.me(), laurel.me()]);
  assert.equal(asked.filter(({ route }) => route === "POST /api/v1/auth/refresh").length, 1);
  assert.equal(stored.refreshToken, "r2");
  assert.equal(new Laurel({ baseUrl, store }).session.user.username, "ada");
});

test("a session that cannot be renewed has ended", async () => {
  const { baseUrl } = await serving({
    "POST /api/v1/auth/login": () => entered("old", null),
    "POST /api/v1/tickets": () => problem(401, "token_expired"),
  });
  const laurel = new Laurel({ baseUrl });
  await laurel.login("ada", "secret");
  const change = nextOf(laurel.session, "change");
  await assert.rejects(laurel.start("sprint"), { code: "token_expired" });
  assert.deepEqual(await change, { user: null, reason: "expired" });
});

const OTHER = { accessToken: "b", refreshToken: "rb", expiresIn: 900, user: { ...USER, userId: "u2" } };

test("what one player began is not done as another, neither repeated nor with a renewed token", async () => {
  for (const refusal of [problem(503, "busy", {}, { "Retry-After": "0" }), problem(401, "token_expired")]) {
    for (const route of ["POST /api/v1/tickets/redeem", "POST /api/v1/tickets"]) {
      const { asked, baseUrl } = await serving({
        "POST /api/v1/auth/login": () => entered("a", "ra"),
        [route]: () => (laurel.session.forget("logout"), laurel.session.accept(OTHER), refusal),
      });
      const laurel = new Laurel({ baseUrl });
      await laurel.login("ada", "secret");
      const isStart = route.endsWith("tickets");
      if (isStart && refusal[0] === 503) continue; // starting is not repeated
      await assert.rejects(isStart ? laurel.start("sprint") : laurel.act("daily"), { code: "token_invalid", isPassing: false });
      assert.deepEqual(asked.slice(1).map(({ headers }) => headers.authorization), ["Bearer a"]);
      assert.equal(laurel.session.user.userId, "u2");
    }
  }
});

test("who leaves is out at once, and the server hears of it even if the token has run out", async () => {
  const { asked, baseUrl } = await serving({
    "POST /api/v1/auth/login": () => [200, { ...entered("old", "r1")[1], expiresIn: 1 }],
    "POST /api/v1/auth/refresh": () => entered("new", "r2"),
    "POST /api/v1/auth/logout": ({ headers }) => (headers.authorization === "Bearer new" ? [204] : problem(401, "token_expired")),
  });
  const laurel = new Laurel({ baseUrl });
  await laurel.login("ada", "secret");
  const left = laurel.logout();
  assert.equal(laurel.session.isSignedIn, false);
  await left;
  const ways = asked.map(({ route, headers }) => [route.split("/").pop(), headers.authorization]);
  assert.deepEqual(ways.slice(1), [["logout", "Bearer old"], ["refresh", undefined], ["logout", "Bearer new"]]);
  assert.equal(laurel.session.isSignedIn, false);
});

test("a renewal that ends after the player has left brings nobody back", async () => {
  const { baseUrl } = await serving({
    "POST /api/v1/auth/login": () => [200, { ...entered("old", "r1")[1], expiresIn: 1 }],
    "POST /api/v1/auth/refresh": () => (laurel.session.forget("logout"), entered("new", "r2")),
    "GET /api/v1/me": () => problem(401, "token_missing"),
  });
  const laurel = new Laurel({ baseUrl });
  await laurel.login("ada", "secret");
  await assert.rejects(laurel.me(), { code: "token_missing" });
  assert.equal(laurel.session.isSignedIn, false);
});

test("renewing does without a lock where the browser refuses one, and is done once where it fails under it", async () => {
  const former = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const grants = async (_name, work) => work();
  const refuses = async () => Promise.reject(new DOMException("denied", "SecurityError"));
  for (const [request, answers] of [[refuses, () => entered("new", "r2")], [grants, () => problem(503, "busy")]]) {
    Object.defineProperty(globalThis, "navigator", { value: { locks: { request } }, configurable: true });
    const { asked, baseUrl } = await serving({
      "POST /api/v1/auth/login": () => entered("old", "r1"),
      "POST /api/v1/auth/refresh": answers,
    });
    const laurel = new Laurel({ baseUrl });
    await laurel.login("ada", "secret");
    const renewed = await laurel.session.renew("old").catch(({ code }) => code);
    assert.equal(renewed, request === refuses ? "new" : "busy");
    assert.equal(asked.length, 2);
  }
  if (former === undefined) delete globalThis.navigator;
  else Object.defineProperty(globalThis, "navigator", former);
});

test("what was not on the board is null", async () => {
  const { baseUrl } = await serving({ "GET /api/v1/boards/global/users/u1": () => problem(404, "not_found") });
  assert.equal(await new Laurel({ baseUrl }).standing("global", "u1"), null);
});

const row = (userId, score, rank) => ({ userId, username: userId, displayName: userId, avatarUrl: null, score, rank });
const TOP = { boardId: "global", period: { id: "all" }, epoch: "e", version: 3, totalUsers: 1, degraded: false, entries: [row("a", 9, 1)] };

function sendEvent(response, frame) {
  response.write(`event: ${frame.type}\nid: ${frame.epoch}:${frame.version}\ndata: ${JSON.stringify(frame)}\n\n`);
}

const snapshot = (version, entries) => ({ type: "leaderboard.snapshot", board: "global", period: "all", epoch: "e", version, data: { entries } });
const update = (previous, version, updatedPositions, hash) => ({
  ...{ type: "leaderboard.update", board: "global", period: "all", epoch: "e", version, previous },
  ...{ data: { updatedPositions, removed: [] }, hash },
});

test("a live board follows the event stream, asks again after a gap and after a divergence", async () => {
  const asked = [];
  const script = [
    (response) => {
      sendEvent(response, snapshot(1, [row("a", 1, 1)]));
      sendEvent(response, update(1, 2, [row("a", 2, 1)], "d860d1415d6eb004"));
      sendEvent(response, update(7, 8, [row("a", 8, 1)])); // something is missing
    },
    (response) => sendEvent(response, update(2, 8, [row("a", 8, 1)], "0000000000000000")),
    (response) => sendEvent(response, snapshot(8, [row("a", 80, 1)])),
  ];
  const { baseUrl } = await serving({
    "GET /api/v1/live/events": ({ url }, response) => {
      asked.push(url.search);
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      script.shift()(response);
    },
  });
  const board = new Laurel({ baseUrl }).live("global", { transports: ["events"] });
  closing.push(() => board.close());
  const states = [];
  const errors = [];
  board.addEventListener("state", ({ detail }) => states.push(detail.state));
  board.addEventListener("error", ({ detail }) => errors.push(detail.code));
  await new Promise((resolve) => {
    board.addEventListener("change", ({ detail }) => detail.entries[0].score === 80 && resolve());
  });
  board.close();
  assert.deepEqual(asked, ["?board=global", "?board=global&epoch=e&version=2", "?board=global"]);
  assert.deepEqual(errors, ["diverged"]);
  assert.ok(states.includes("catching-up"));
  assert.equal(states.at(-1), "live");
});

test("without sockets and streams the board is polled, then climbs back up", async () => {
  let streams = 0;
  const { asked, baseUrl } = await serving({
    "GET /api/v1/live/events": (_call, response) => {
      streams += 1;
      if (streams <= 2) return void response.destroy();
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.flushHeaders();
    },
    "GET /api/v1/boards/global/top": ({ headers }) => (headers["if-none-match"] === '"3"' ? [304] : [200, TOP, { ETag: '"3"' }]),
  });
  const board = new Laurel({ baseUrl }).live("global", { transports: ["events", "polling"] });
  closing.push(() => board.close());
  const change = nextOf(board, "change");
  const polling = new Promise((resolve) => board.addEventListener("state", ({ detail }) => detail.state === "polling" && resolve()));
  const live = new Promise((resolve) => board.addEventListener("state", ({ detail }) => detail.state === "live" && resolve()));
  await polling;
  const { entries, totalUsers, moves } = await change;
  assert.deepEqual([entries[0].userId, totalUsers, moves.length], ["a", 1, 1]);
  board.checkNow();
  await live;
  assert.equal(board.transport, "events");
  assert.match(asked.findLast(({ route }) => route.endsWith("events")).url.search, /epoch=e&version=3/);
  board.close();
});

test("a board that is unknown is reported and not hammered", async () => {
  const { asked, baseUrl } = await serving({
    "GET /api/v1/live/events": () => problem(404, "not_found"),
    "GET /api/v1/boards/nowhere/top": () => problem(404, "not_found"),
  });
  const board = new Laurel({ baseUrl }).live("nowhere", { transports: ["events", "polling"] });
  assert.deepEqual(await nextOf(board, "error"), { code: "not_found", detail: "" });
  assert.equal(board.state, "offline");
  assert.deepEqual(asked.map(({ route }) => route), ["GET /api/v1/live/events", "GET /api/v1/boards/nowhere/top"]);
  board.close();
});

test("a server without event streams is polled", async () => {
  const { baseUrl } = await serving({
    "GET /api/v1/live/events": () => problem(404, "not_found"),
    "GET /api/v1/boards/global/top": () => [200, TOP],
  });
  const board = new Laurel({ baseUrl }).live("global", { transports: ["events", "polling"] });
  assert.equal((await nextOf(board, "change")).version, 3);
  board.close();
});

test("a stream that begins without a snapshot does not leave the board empty", async () => {
  const { baseUrl } = await serving({
    "GET /api/v1/live/events": (_call, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.flushHeaders();
    },
    "GET /api/v1/boards/global/top": () => [200, TOP],
  });
  const board = new Laurel({ baseUrl }).live("global", { transports: ["events"] });
  const { entries, version } = await nextOf(board, "change");
  assert.deepEqual([entries.length, version, board.state], [1, 3, "live"]);
  board.close();
});

test("a board that has no period yet is not asked for again and again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { asked, baseUrl } = await serving({
    "GET /api/v1/live/events": (_call, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.flushHeaders();
    },
    "GET /api/v1/boards/season/top": () => problem(404, "not_found"),
    "GET /api/v1/boards": () => [200, { boards: [] }],
  });
  const laurel = new Laurel({ baseUrl });
  const board = laurel.live("season", { transports: ["events"] });
  closing.push(() => board.close());
  for (let second = 0; second < 20; second += 1) {
    t.mock.timers.tick(1_000);
    await laurel.boards(); // answers come in between
  }
  assert.equal(asked.filter(({ route }) => route.endsWith("/top")).length, 1);
  board.close();
});
