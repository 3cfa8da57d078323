import assert from "node:assert/strict";
import { test } from "node:test";

import { StreamParser } from "../../server/web/laurel/sse.js";

const STREAM = ": hello\n\nevent: leaderboard.update\r\nid: e:7\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata:no space\rdata:  two\r\revent: empty\n\n";
const MESSAGES = [
  { event: "leaderboard.update", data: '{"a":\n1}', id: "e:7" },
  { event: "message", data: "no space\n two", id: "e:7" },
];

test("messages are read with any line ending", () => {
  assert.deepEqual(new StreamParser().push(STREAM), MESSAGES);
});

test("the text may be cut anywhere", () => {
  for (let at = 0; at <= STREAM.length; at += 1) {
    const parser = new StreamParser();
    assert.deepEqual([...parser.push(STREAM.slice(0, at)), ...parser.push(STREAM.slice(at))], MESSAGES, `cut at ${at}`);
  }
  const parser = new StreamParser();
  assert.deepEqual([...STREAM].flatMap((character) => parser.push(character)), MESSAGES);
});

test("fields without a value and unknown ones do no harm", () => {
  const parser = new StreamParser();
  assert.deepEqual(parser.push("data\nretry: 5\nnonsense\n\n"), [{ event: "message", data: "", id: "" }]);
});
