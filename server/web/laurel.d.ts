/** Types of `laurel.js`. Times are RFC 3339 texts, durations say their unit. */

export interface User {
  userId: string;
  username: string;
  displayName: string;
  avatarUrl: string | null;
  region: string | null;
  role: string;
}

export interface Tokens {
  accessToken: string;
  refreshToken: string | null;
  expiresAtMs: number | null;
  user: User | null;
}

/** Keeps a session over reloads. */
export interface SessionStore {
  load(): Tokens | null;
  save(tokens: Tokens | null): void;
  /** Fetches what was renewed elsewhere; awaited before each renewal. */
  settle?(): Promise<void>;
}

export interface LaurelOptions {
  /** Where the server's `/` is; default: where `laurel.js` came from. */
  baseUrl?: string | URL;
  /** An access token got elsewhere. */
  token?: string | null;
  store?: SessionStore | null;
}

export interface Action {
  actionId: string;
  title: string;
  points: number;
  minSeconds: number;
  maxSeconds: number;
  cooldownSeconds: number;
  dailyLimit: number | null;
  overlap: "forbid" | "allow";
  ticket: "required" | "instant";
  proof: "none" | "always" | "adaptive";
}

export interface TicketFacts {
  ticket: string;
  ticketId: string;
  actionId: string;
  points: number;
  issuedAt: string;
  redeemableAt: string;
  expiresAt: string;
  clockOffsetMs?: number;
}

export interface Redemption {
  success: true;
  /** The ticket was spent already: this is the recorded result. */
  replayed: boolean;
  ticketId: string;
  actionId: string | null;
  change: number;
  newScore: number;
  /** On the board `global`; null when not known in time. */
  leaderboardPosition: number | null;
  userVersion: number;
  /** It has been reversed since. */
  voided?: true;
}

export interface Board {
  boardId: string;
  title: string;
  fold: "sum" | "best" | "last";
  window: "all" | "day" | "week" | "month" | "season";
  timeZone: string;
  filter: Record<string, unknown>;
  period: { id: string; start: string | null; end: string | null } | null;
  frozen: boolean;
}

export interface Row {
  userId: string;
  username: string;
  displayName: string;
  avatarUrl: string | null;
  score: number;
  rank: number;
}

export interface Top {
  boardId: string;
  period: string;
  epoch: string;
  version: number;
  asOf: string;
  degraded: boolean;
  totalUsers: number;
  entries: (Row & { reachedAt: string })[];
  next: string | null;
}

export interface Standing {
  rank: number;
  score: number;
  percentile: number;
  pointsToNextRank: number | null;
  pointsToTop10: number;
}

/** A change of place or score; null stands for "not in the top". */
export interface Move {
  userId: string;
  from: number | null;
  to: number | null;
  scoreFrom: number | null;
  scoreTo: number | null;
}

export interface Position {
  epoch: string;
  version: number;
}

export interface Update {
  updatedPositions: readonly Row[];
  removed: readonly string[];
}

export interface TopChange {
  entries: readonly Row[];
  moves: readonly Move[];
  isSnapshot: boolean;
  isNewPeriod: boolean;
  period: string | null;
  epoch: string | null;
  version: number | null;
  /** Known only when the top was read, not pushed. */
  totalUsers: number | null;
  degraded: boolean | null;
}

export type LiveState = "connecting" | "live" | "catching-up" | "polling" | "offline";
export type Transport = "websocket" | "events" | "polling";

export interface LiveBoardEvents {
  change: CustomEvent<TopChange>;
  state: CustomEvent<{ state: LiveState; transport: Transport | null }>;
  /** The signed-in player's own score. */
  score: CustomEvent<{
    newScore: number;
    leaderboardPosition: number | null;
    change: number;
    pointsToTop10: number | null;
    userVersion: number;
  }>;
  /** The signed-in player was pushed down in, or out of, the top 10. */
  overtaken: CustomEvent<{ by: string; rank: number }>;
  error: CustomEvent<{ code: string; detail: string }>;
}

/** A board's top and what happens to it, until `close()`. */
export class LiveBoard extends EventTarget {
  private constructor();
  readonly board: string;
  readonly entries: readonly Row[];
  readonly position: Position | null;
  readonly period: string | null;
  readonly state: LiveState;
  readonly transport: Transport;
  addEventListener<Type extends keyof LiveBoardEvents>(
    type: Type,
    listener: (event: LiveBoardEvents[Type]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Looks at once whether the connection lives, or makes one. */
  checkNow(): void;
  close(): void;
}

/** One player's tokens; fires `change` with `{user, reason}`. */
export interface Session extends EventTarget {
  readonly user: User | null;
  readonly isSignedIn: boolean;
  /** A token that should still be good, or null. */
  token(): Promise<string | null>;
  forget(reason: string): void;
  /** Reads the store again, after another tab wrote to it. */
  reload(): void;
}

/** A refusal by the server, or of the way to it (`unreachable`, `timeout`, `unreadable`: status 0). */
export class LaurelError extends Error {
  constructor(
    code: string,
    about?: {
      status?: number;
      title?: string;
      detail?: string;
      retryAfterSeconds?: number | null;
      facts?: Record<string, unknown>;
      cause?: unknown;
    },
  );
  static from(error: unknown): LaurelError;
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly retryAfterSeconds: number | null;
  /** Every other member of the problem document, such as `waitMs`. */
  readonly facts: Record<string, unknown>;
  /** The same request may succeed a little later. */
  readonly isPassing: boolean;
  /** The access token is the trouble. */
  readonly isAboutToken: boolean;
}

/** An issued ticket; plain properties, so that `JSON.stringify` keeps it. */
export class Ticket implements Required<TicketFacts> {
  constructor(facts: TicketFacts);
  ticket: string;
  ticketId: string;
  actionId: string;
  points: number;
  issuedAt: string;
  redeemableAt: string;
  expiresAt: string;
  /** Server's clock minus ours. */
  clockOffsetMs: number;
  ageMs(nowMs?: number): number;
  redeemableInMs(nowMs?: number): number;
  expiresInMs(nowMs?: number): number;
}

export interface Patience {
  signal?: AbortSignal;
  /** Bound on the total time of all tries; default 30 s. */
  withinMs?: number;
}

/** Signs in, starts and redeems actions, watches boards. */
export class Laurel {
  constructor(options?: LaurelOptions);
  readonly session: Session;
  register(account: {
    username: string;
    password: string;
    displayName?: string;
    avatarUrl?: string;
    region?: string;
  }): Promise<User>;
  login(username: string, password: string): Promise<User>;
  logout(): Promise<void>;
  me(): Promise<User & Record<string, unknown>>;
  actions(): Promise<Action[]>;
  start(
    actionId: string,
    options?: {
      hold?: boolean;
      build?: string;
      /** A proof of work made beforehand. */
      proof?: string;
      signal?: AbortSignal;
      /** Makes the proof when one is asked for; default: `prove`. */
      prove?: (actionId: string, options: { signal?: AbortSignal }) => Promise<string>;
    },
  ): Promise<Ticket>;
  /** A proof of work for one start, made in pieces so that the page stays responsive. */
  prove(actionId: string, options?: { signal?: AbortSignal }): Promise<string>;
  /** Where an action's challenges come from, for ALTCHA's own widget. */
  challengeAddress(actionId: string): URL;
  /** Repeats while the failure is passing: a spent ticket gets its recorded result. */
  redeem(ticket: string | { ticket: string } | { ticketId: string }, patience?: Patience): Promise<Redemption>;
  /** Does an instant action, with one key over all repetitions. */
  act(actionId: string, options?: Patience & { idempotencyKey?: string }): Promise<Redemption>;
  boards(): Promise<Board[]>;
  top(board: string, query?: { limit?: number; cursor?: string; period?: string }): Promise<Top>;
  /** Null when the player is not on the board. */
  standing(board: string, userId: string): Promise<Standing | null>;
  live(board: string, options?: { transports?: readonly Transport[] }): LiveBoard;
}

/** The top that an update leads to, sorted by rank. */
export function applyUpdate(top: readonly Row[], update: Update): Row[];
export function movesBetween(before: readonly Row[], after: readonly Row[]): Move[];
/** First 16 hex digits of the SHA-256 over `userId:score`; null where there is no `crypto.subtle`. */
export function topHash(top: readonly { userId: string; score: number }[]): Promise<string | null>;
/** The first answer of `ask` that is not a passing failure. */
export function repeatedly<T>(
  ask: (attempt: number) => Promise<T>,
  options?: Patience & { random?: () => number },
): Promise<T>;
