/** Proof of work: solves an ALTCHA challenge without blocking the page. */

import { LaurelError } from "./errors.js";

/** Tries under way at once; the browser derives them beside the page's own thread. */
const BATCH = 16;
const SOLVE_WITHIN_MS = 90_000;
const ALGORITHM = /^PBKDF2\/(SHA-(?:256|384|512))$/;
const COUNTER_BYTES = 4;

/**
 * @typedef {{parameters: {algorithm: string, cost: number, keyLength: number, keyPrefix: string, nonce: string, salt: string},
 *            signature: string}} Challenge
 */

/**
 * The proof for a challenge, as ALTCHA's own widget sends it.
 *
 * Throws `proof_unsupported` where there is no `crypto.subtle` (an insecure origin) and for an unknown algorithm.
 * @param {Challenge} challenge
 * @param {{signal?: AbortSignal}} [options]
 */
export async function solve({ parameters, signature }, { signal } = {}) {
  const hash = ALGORITHM.exec(parameters.algorithm)?.[1];
  const { subtle } = globalThis.crypto ?? {};
  if (hash === undefined || subtle === undefined) throw new LaurelError("proof_unsupported", { detail: "This browser cannot do the proof of work here." });
  const startedAt = performance.now();
  const settings = { name: "PBKDF2", hash, salt: bytesOf(parameters.salt), iterations: parameters.cost };
  const nonce = bytesOf(parameters.nonce);
  /** @param {number} counter */
  const derive = async (counter) => {
    const key = await subtle.importKey("raw", password(nonce, counter), "PBKDF2", false, ["deriveBits"]);
    return hexOf(await subtle.deriveBits(settings, key, parameters.keyLength * 8));
  };
  for (let first = 0; ; first += BATCH) {
    signal?.throwIfAborted();
    if (performance.now() - startedAt > SOLVE_WITHIN_MS) throw new LaurelError("timeout", { detail: "The proof of work took too long." });
    const keys = await Promise.all(Array.from({ length: BATCH }, (_, index) => derive(first + index)));
    const found = keys.findIndex((key) => key.startsWith(parameters.keyPrefix));
    if (found === -1) continue;
    const solution = { counter: first + found, derivedKey: keys[found], time: Math.round(performance.now() - startedAt) };
    return btoa(JSON.stringify({ challenge: { parameters, signature }, solution }));
  }
}

/** @param {Uint8Array} nonce @param {number} counter */
function password(nonce, counter) {
  const bytes = new Uint8Array(nonce.length + COUNTER_BYTES);
  bytes.set(nonce);
  new DataView(bytes.buffer).setUint32(nonce.length, counter);
  return bytes;
}

/** @param {string} hex */
function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** @param {ArrayBuffer} buffer */
function hexOf(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
