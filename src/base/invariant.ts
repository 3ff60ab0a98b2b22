// Invariant: the one way code says "this cannot happen unless tek itself is wrong".
// Owns: the error class for bugs in tek. Does not own: anything a user can cause (that is a diagnostic).

/** Thrown only for a bug in tek; the command line turns it into "this is our bug, here is how to report it". */
export class TekBug extends Error {
  override readonly name = 'TekBug'
}

/**
 * Asserts what must hold if tek is right.
 *
 * @throws {TekBug} when `condition` is false.
 * @example
 * invariant(1 + 1 === 2, 'arithmetic works')
 */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new TekBug(message)
}

/** Marks a branch the type checker has proved impossible. */
export function unreachable(value: never): never {
  throw new TekBug(`unexpected value: ${JSON.stringify(value)}`)
}
