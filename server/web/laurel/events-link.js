/** The live board over Server-Sent Events. */

import { retryAfterSeconds } from "./backoff.js";
import { afterRefusal } from "./close-codes.js";
import { LaurelError, fromProblem } from "./errors.js";
import { requestHeaders } from "./http.js";
import { Link, OPEN_WITHIN_MS, SILENCE_MS } from "./link.js";
import { StreamParser } from "./sse.js";

/**
 * One event stream, read with `fetch`.
 *
 * Not `EventSource`: that can neither carry a token nor tell why it was refused.
 */
export class EventsLink extends Link {
  #abort = new AbortController();

  /** @param {import("./link.js").LinkContext} context @param {import("./link.js").LinkListener} listener */
  constructor(context, listener) {
    super(context, listener);
    this.expectWithin(OPEN_WITHIN_MS);
    this.#read().catch((error) => this.fail(afterRefusal(LaurelError.from(error))));
  }

  async #read() {
    const token = await this.takeToken();
    const { http, board, position } = this.context;
    const response = await fetch(http.address("api/v1/live/events", { board, ...position }), {
      headers: requestHeaders({ Accept: "text/event-stream" }, token, false),
      signal: this.#abort.signal,
      cache: "no-store",
      credentials: "omit",
    });
    if (!response.ok || response.body === null) {
      const wait = retryAfterSeconds(response.headers.get("Retry-After"));
      throw fromProblem(response.status, await response.json().catch(() => null), wait);
    }
    this.expectWithin(SILENCE_MS);
    this.ready();
    await this.#follow(response.body);
    throw new LaurelError("unreachable", { detail: "The stream ended." });
  }

  /** @param {ReadableStream<Uint8Array>} body */
  async #follow(body) {
    const parser = new StreamParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.isOver) return;
      this.expectWithin(SILENCE_MS);
      for (const { data } of parser.push(decoder.decode(value, { stream: true }))) this.deliver(JSON.parse(data));
    }
  }

  hangUp() {
    this.#abort.abort();
  }
}
