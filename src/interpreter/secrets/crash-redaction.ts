// Crash redaction: what tek says of itself when it is wrong, without the secrets of the runs of this process.
// Owns: the one thing kept beside a run. Small, because every command loads it.
//   X1. The latest MAX_KEPT runs with secrets are remembered: a crash concerns those.

const MAX_KEPT = 16
const kept: ((text: string) => string)[] = []

/** From now on, also without what `redact` knows. */
export function keepFromCrashes(redact: (text: string) => string): void {
  kept.push(redact)
  if (kept.length > MAX_KEPT) kept.shift() // X1
}

/** A text that is about to be printed or written because of a bug. */
export const redactCrash = (text: string): string => kept.reduce((now, redact) => redact(now), text)
