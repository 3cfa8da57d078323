/** Tells whether two tops are the same. */

const HASH_DIGITS = 16;

/**
 * The text that is hashed: `userId:score` in rank order.
 * @param {readonly {userId: string, score: number}[]} top
 */
export function hashedText(top) {
  return top.map(({ userId, score }) => `${userId}:${score}`).join(",");
}

/**
 * First 16 hex digits of its SHA-256, or null.
 *
 * Browsers have no `crypto.subtle` on insecure origins: null there, and the check is skipped.
 * @param {readonly {userId: string, score: number}[]} top
 * @returns {Promise<string | null>}
 */
export async function topHash(top) {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) return null;
  const digest = await subtle.digest("SHA-256", new TextEncoder().encode(hashedText(top)));
  const digits = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.slice(0, HASH_DIGITS);
}
