import assert from "node:assert/strict";
import { test } from "node:test";

import { Ticket, clockOffsetMs } from "../../server/web/laurel/ticket.js";

const ISSUED = Date.parse("2026-01-01T12:00:00.000Z");
const FACTS = {
  ticket: "signed",
  ticketId: "0190",
  actionId: "sprint",
  points: 5,
  issuedAt: "2026-01-01T12:00:00.000Z",
  redeemableAt: "2026-01-01T12:00:05.000Z",
  expiresAt: "2026-01-01T12:01:00.000Z",
};

test("times are told by the server's clock", () => {
  const ours = ISSUED - 3_600_000; // our clock is an hour late
  const ticket = new Ticket({ ...FACTS, clockOffsetMs: 3_600_000 });
  assert.equal(ticket.ageMs(ours + 1_000), 1_000);
  assert.equal(ticket.redeemableInMs(ours + 1_000), 4_000);
  assert.equal(ticket.redeemableInMs(ours + 9_000), 0);
  assert.equal(ticket.expiresInMs(ours + 1_000), 59_000);
  assert.equal(ticket.expiresInMs(ours + 90_000), 0);
});

test("it survives being written down", () => {
  const ticket = new Ticket({ ...FACTS, clockOffsetMs: -20 });
  assert.deepEqual(new Ticket(JSON.parse(JSON.stringify(ticket))), ticket);
});

test("clocks that may agree count as agreeing", () => {
  assert.equal(clockOffsetMs(FACTS.issuedAt, ISSUED - 30, ISSUED + 30), 0);
  assert.equal(clockOffsetMs(FACTS.issuedAt, ISSUED - 1_040, ISSUED - 1_000), 1_020);
  assert.equal(clockOffsetMs("not a date", 0, 0), 0);
});
