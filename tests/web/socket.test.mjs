import assert from "node:assert/strict";
import { test } from "node:test";

import { Http } from "../../server/web/laurel/http.js";
import { SocketLink } from "../../server/web/laurel/socket-link.js";

const MINUTE_S = 60;

/** Opened by hand; answers pings while it lives. A real one cannot be told to fall silent, nor a browser to hide its tab. */
class Socket extends EventTarget {
  static OPEN = 1;
  readyState = Socket.OPEN;
  isAlive = true;
  pings = 0;

  send(text) {
    if (JSON.parse(text).type !== "ping") return;
    this.pings += 1;
    if (this.isAlive) this.dispatchEvent(new MessageEvent("message", { data: '{"type":"pong"}' }));
  }

  close() {
    this.readyState = 3;
  }
}

/** A link on such a socket, its clock in the hand of the test; intervals stand still, as in a tab that is hidden. */
async function linked(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const ends = [];
  let socket;
  globalThis.WebSocket = class extends Socket {
    constructor() {
      super();
      socket = this;
    }
  };
  const context = { http: new Http("http://localhost/"), board: "global", position: null, token: async () => null };
  const link = new SocketLink(context, { ready: () => {}, frame: () => {}, end: (end) => ends.push(end.code) });
  t.after(() => link.close());
  socket.dispatchEvent(new Event("open"));
  await new Promise(setImmediate);
  const seconds = (count) => Array.from({ length: count }, () => t.mock.timers.tick(1_000));
  return { link, socket, ends, seconds };
}

test("a quiet link is asked, and lives while it answers", async (t) => {
  const { socket, ends, seconds } = await linked(t);
  seconds(5 * MINUTE_S);
  assert.deepEqual([ends, socket.pings], [[], 1 + 12]);
});

test("a link that does not answer is given up after forty seconds of silence", async (t) => {
  const { socket, ends, seconds } = await linked(t);
  socket.isAlive = false;
  seconds(39);
  assert.deepEqual(ends, []);
  seconds(1);
  assert.deepEqual(ends, ["silent"]);
});

test("a probe is answered soon or the link is given up", async (t) => {
  const { link, socket, ends, seconds } = await linked(t);
  socket.isAlive = false;
  link.probe();
  link.probe();
  seconds(5);
  assert.deepEqual([ends, socket.pings], [["silent"], 2]);
});
