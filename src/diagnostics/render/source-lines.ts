// Source lines: from an offset in a file to its line and column, and back to the text of a line.
// Owns: counting. Does not own: drawing.
//   S1. Lines count from 1 and end at LF, CRLF or CR; columns count UTF-16 code units from 1, as editors and SARIF do.
//   S2. An offset beyond the text is its end: a place is always somewhere.

export interface Position {
  readonly offset: number
  readonly line: number
  readonly column: number
}

export class SourceLines {
  readonly text: string
  /** Offset of the first character of each line. */
  readonly #starts: readonly number[]

  constructor(text: string) {
    this.text = text
    const starts = [0]
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === 10 || (code === 13 && text.charCodeAt(at + 1) !== 10)) starts.push(at + 1)
    }
    this.#starts = starts
  }

  get count(): number {
    return this.#starts.length
  }

  position(offset: number): Position {
    const at = Math.max(0, Math.min(offset, this.text.length)) // S2
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle]! <= at) low = middle
      else high = middle - 1
    }
    return { offset: at, line: low + 1, column: at - this.#starts[low]! + 1 }
  }

  /** Offset of the first character of a line that exists. */
  startOf(line: number): number {
    return this.#starts[line - 1]!
  }

  /** A line's text without its end. */
  line(line: number): string {
    return this.text.slice(this.startOf(line), this.#starts[line] ?? this.text.length).replace(/\r?\n$|\r$/, '')
  }
}

/** Texts of the files concerned, by shown path; counted once each. */
export class SourceTexts {
  readonly #texts: ReadonlyMap<string, string>
  readonly #lines = new Map<string, SourceLines>()

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts
  }

  /** Null when the file's text is not at hand. */
  lines(path: string): SourceLines | null {
    const text = this.#texts.get(path)
    if (text === undefined) return null
    let lines = this.#lines.get(path)
    if (!lines) this.#lines.set(path, (lines = new SourceLines(text)))
    return lines
  }
}
