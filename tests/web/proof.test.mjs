import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";

import { Laurel } from "../../server/web/laurel.js";
import { solve } from "../../server/web/laurel/proof.js";

const closing = [];
after(() => closing.forEach((close) => close()));

// Made by ALTCHA's own library: the counter is 37, the rounds are few.
const CHALLENGE = {
  "parameters": {
    "algorithm": "PBKDF2/SHA-256",
    "cost": 50,
    "keyLength": 32,
    "keyPrefix": "375c5c5d75840b41b126c9d826a27807",
    "nonce": "f0458da84a0152e53d605f3ba9637e8a",
    "salt": "160e056f1dac31b0c9a0b0bd50eaf9f8",
    "keySignature": "85bb4d0ea2a335b84b8d923d5768606048f7eacf760f2ff5d1c5a1c89727c5fc",
    "expiresAt": 4102444800,
    "data": {
      "actionId": "vault",
      "userId": "u"
    }
  },
  "signature": "01f67c2671161102fc5285c8ffad936c4d794048236512273e2bda3f9b13a289"
};
const KEY = "375c5c5d75840b41b126c9d826a278074542156c8753c9564f0c8f77915b6638";
const FACTS = {
  ticket: "t", ticketId: "i", actionId: "vault", points: 1,
  issuedAt: "2026-01-01T00:00:00.000Z", redeemableAt: "2026-01-01T00:00:00.000Z", expiresAt: "2026-01-01T01:00:00.000Z",
};

const unpacked = (proof) => JSON.parse(atob(proof));

/** A server that gives tickets for proofs that it has not seen; it remembers what it was asked. */
async function guarded({ refuse = 1 } = {}) {
  const asked = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : null;
    asked.push([request.method, request.url, body?.proof]);
    const answer = (status, value) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(value));
    };
    if (request.method === "GET") return answer(200, CHALLENGE);
    if (refuse > 0) {
      refuse -= 1;
      return answer(403, { status: 403, code: "proof_required", title: "no", detail: "no", reason: "missing" });
    }
    return answer(201, FACTS);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => (server.closeAllConnections(), server.close()));
  return { asked, laurel: new Laurel({ baseUrl: `http://127.0.0.1:${server.address().port}/`, token: "t" }) };
}

test("a solution is what ALTCHA's library finds", async () => {
  const { challenge, solution } = unpacked(await solve(CHALLENGE));
  assert.deepEqual(challenge, CHALLENGE);
  assert.equal(solution.counter, 37);
  assert.equal(solution.derivedKey, KEY);
});

test("the page goes on while a proof is worked out", async () => {
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 1);
  await solve({ ...CHALLENGE, parameters: { ...CHALLENGE.parameters, cost: 50 } });
  clearInterval(timer);
  assert.ok(ticks > 0);
});

test("an abort ends the work", async () => {
  const hard = { ...CHALLENGE, parameters: { ...CHALLENGE.parameters, keyPrefix: "00".repeat(32) } };
  await assert.rejects(solve(hard, { signal: AbortSignal.timeout(30) }), { name: "TimeoutError" });
});

test("an algorithm that is not known is said", async () => {
  const other = { ...CHALLENGE, parameters: { ...CHALLENGE.parameters, algorithm: "ARGON2ID" } };
  await assert.rejects(solve(other), { code: "proof_unsupported" });
});

test("starting works out a proof when one is asked for", async () => {
  const { asked, laurel } = await guarded();
  assert.equal((await laurel.start("vault")).ticket, "t");
  assert.deepEqual(asked.map(([method, url]) => `${method} ${url}`), [
    "POST /api/v1/tickets", "GET /api/v1/challenges?actionId=vault", "POST /api/v1/tickets",
  ]);
  assert.equal(unpacked(asked[2][2]).solution.counter, 37);
});

test("a proof made beforehand is sent at once, and made anew when it is refused", async () => {
  const fresh = await guarded({ refuse: 0 });
  await fresh.laurel.start("vault", { proof: "before" });
  assert.deepEqual(fresh.asked, [["POST", "/api/v1/tickets", "before"]]);
  const stale = await guarded();
  await stale.laurel.start("vault", { proof: "before", prove: async (actionId) => `by hand for ${actionId}` });
  assert.deepEqual(stale.asked.map(([, , proof]) => proof), ["before", "by hand for vault"]);
});

test("a proof that is refused again is the player's to know", async () => {
  const { asked, laurel } = await guarded({ refuse: 9 });
  await assert.rejects(laurel.start("vault"), { code: "proof_required" });
  assert.equal(asked.length, 3);
});
