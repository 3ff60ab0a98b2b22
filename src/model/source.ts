// Source: a file's text and a place in it. Offsets are UTF-16 code units from the start of the file.

export interface SourceFile {
  /** Path as shown to the user: relative to the working directory where it lies beneath it, else absolute. `/` on every system. */
  readonly path: string
  readonly text: string
}

/** A stretch of one file; `end` is exclusive. */
export interface Place {
  readonly path: string
  readonly start: number
  readonly end: number
}
