/** The text of an event stream as messages. */

/** @typedef {{event: string, data: string, id: string}} StreamMessage */

/**
 * Cuts a stream of text into messages, as HTML specifies it.
 *
 * Text may be cut anywhere. Comments (`:`) are dropped; `retry` is not used, the client has its own backoff.
 */
export class StreamParser {
  #rest = "";
  #event = "";
  #id = "";
  /** @type {string[]} */
  #data = [];

  /** @param {string} text @returns {StreamMessage[]} those completed by it */
  push(text) {
    const messages = /** @type {StreamMessage[]} */ ([]);
    // A CR at the very end may be half of a CRLF: it waits for the next piece.
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = line === "" ? this.#complete() : this.#field(line);
      if (message !== null) messages.push(message);
    }
    return messages;
  }

  /** @param {string} line @returns {null} */
  #field(line) {
    const [, name, value] = /** @type {RegExpExecArray} */ (/^([^:]*)(?:: ?)?(.*)$/s.exec(line));
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id") this.#id = value;
    return null;
  }

  /** @returns {StreamMessage | null} */
  #complete() {
    const message = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
    const isEmpty = this.#data.length === 0;
    this.#event = "";
    this.#data = [];
    return isEmpty ? null : message;
  }
}
