// Shell word: a word as a shell takes it, in commands that are shown to be typed.

/**
 * A word that means itself to a shell: `scan[3]` is a pattern to some, `build#2/test` may be a comment.
 *
 * @example
 * shellWord('scan[3]') // "'scan[3]'"
 */
export function shellWord(word: string): string {
  return /^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
