/** A started action: when it may be redeemed, how long it lasts. */

/**
 * @typedef {{ticket: string, ticketId: string, actionId: string, points: number, issuedAt: string,
 *            redeemableAt: string, expiresAt: string, clockOffsetMs?: number}} TicketFacts
 */

/**
 * An issued ticket, with the server's clock in mind.
 *
 * Plain properties only: `JSON.stringify` keeps it, `new Ticket(JSON.parse(text))` brings it back.
 */
export class Ticket {
  /** @param {TicketFacts} facts */
  constructor({ ticket, ticketId, actionId, points, issuedAt, redeemableAt, expiresAt, clockOffsetMs = 0 }) {
    this.ticket = ticket;
    this.ticketId = ticketId;
    this.actionId = actionId;
    this.points = points;
    this.issuedAt = issuedAt;
    this.redeemableAt = redeemableAt;
    this.expiresAt = expiresAt;
    /** Server's clock minus ours, as seen when the ticket was issued. */
    this.clockOffsetMs = clockOffsetMs;
  }

  /** Milliseconds since it was issued, by the server's clock. */
  ageMs(nowMs = Date.now()) {
    return nowMs + this.clockOffsetMs - Date.parse(this.issuedAt);
  }

  /** Milliseconds until it may be redeemed, 0 from then on. */
  redeemableInMs(nowMs = Date.now()) {
    return Math.max(0, Date.parse(this.redeemableAt) - nowMs - this.clockOffsetMs);
  }

  /** Milliseconds until it expires, 0 from then on. */
  expiresInMs(nowMs = Date.now()) {
    return Math.max(0, Date.parse(this.expiresAt) - nowMs - this.clockOffsetMs);
  }
}

/**
 * How far the server's clock is ahead of ours.
 * @param {string} stamp the server's, made between the two local times
 * @param {number} askedAtMs
 * @param {number} answeredAtMs
 */
export function clockOffsetMs(stamp, askedAtMs, answeredAtMs) {
  const server = Date.parse(stamp);
  if (Number.isNaN(server)) return 0;
  if (server >= askedAtMs && server <= answeredAtMs) return 0;
  return Math.round(server - (askedAtMs + answeredAtMs) / 2);
}
