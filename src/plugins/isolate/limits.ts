// Limits: what holds for a plugin whatever its wall is made of.
// Owns: the numbers both kinds share. Does not own: limits of one kind (process.ts, engine.ts).

/** One message: an argument list, a result, an answer of the context. */
export const MAX_FRAME_BYTES = 4_000_000
/** Nesting of a message. */
export const MAX_DEPTH = 128
export const LOAD_MS = 10_000
/** How long a cancelled call may take to end by itself. */
export const ABORT_GRACE_MS = 2_000
/** Starts after the first. */
export const MAX_RESTARTS = 3
/** Wishes of one call that wait for an answer. */
export const MAX_OPEN_ASKS = 1_000
