// Source places: from a line of a bundle to the line of the source that the author wrote.
// Owns: translating stacks of an engine. Does not own: making the map (bundle.ts).
//   S1. A map is read only when something failed. It comes from esbuild; one that cannot be read leaves places as they are.
//   S2. No absolute path is shown for a file of the project.
import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { dirname, relative, resolve } from 'node:path'
import type { Outcome } from '#model/event.ts'
import type { Bundle } from '../bundle.ts'
import { BUNDLE_NAME } from './protocol.ts'

const MAX_LINES = 50
const MAX_DETAILS_LENGTH = 16_000

interface Place {
  readonly shown: string
  readonly isForeign: boolean
}

export class SourcePlaces {
  private readonly bundle: Bundle
  private readonly cwd: string
  private map: SourceMap | null | undefined

  constructor(bundle: Bundle, cwd: string) {
    this.bundle = bundle
    this.cwd = cwd
  }

  /** An outcome whose crash names places of the source. */
  inOutcome(outcome: Outcome): Outcome {
    if (outcome.kind === 'value' || outcome.failure.code !== 'plugin/crashed' || outcome.failure.details === undefined) return outcome
    const { lines, first } = this.inStack(outcome.failure.details)
    const message = first === null ? outcome.failure.message : `${outcome.failure.message} (${first})`
    return { kind: 'failure', failure: { ...outcome.failure, message, details: `${outcome.failure.message}\n${lines}`.slice(0, MAX_DETAILS_LENGTH) } }
  }

  /** An error as the engine describes it, in one line. */
  inError(error: string): string {
    let message = error
    let stack = ''
    try {
      const parts = JSON.parse(error) as { name?: unknown; message?: unknown; stack?: unknown } | string
      if (typeof parts === 'string') message = parts
      else {
        message = typeof parts.message === 'string' ? parts.message : error
        stack = typeof parts.stack === 'string' ? parts.stack : ''
      }
    } catch {
      // Not every thrown thing has a JSON.
    }
    const { first } = this.inStack(stack)
    return first === null ? message : `${message} (${first})`
  }

  private inStack(stack: string): { lines: string; first: string | null } {
    let first: string | null = null
    const lines = stack.split('\n').slice(0, MAX_LINES).flatMap(line => {
      const found = /^(\s+at .*?)\(?([\w.<>-]+):(\d+):(\d+)\)?$/.exec(line)
      if (found === null) return line.trim() === '' || /^\s+at .*\((?:native|<null>)\)$/.test(line) ? [] : [line]
      if (found[2] !== BUNDLE_NAME) return []
      const place = this.placeOf(Number(found[3]), Number(found[4]))
      if (place === null) return [line]
      if (!place.isForeign) first ??= place.shown
      return [`${found[1]}(${place.shown})`]
    })
    return { lines: lines.join('\n'), first }
  }

  private placeOf(line: number, column: number): Place | null {
    if (this.map === undefined) this.map = this.read()
    const entry = this.map?.findEntry(line - 1, column - 1)
    if (entry === undefined || !('originalSource' in entry)) return null
    const file = resolve(dirname(this.bundle.file), entry.originalSource)
    const near = relative(this.cwd, file)
    const shown = near.startsWith('..') ? file.slice(file.lastIndexOf('/') + 1) : near // S2
    return { shown: `${shown}:${entry.originalLine + 1}:${entry.originalColumn + 1}`, isForeign: /(?:^|\/)node_modules\//.test(file) }
  }

  private read(): SourceMap | null {
    try {
      return new SourceMap(JSON.parse(readFileSync(`${this.bundle.file}.map`, 'utf8')) as SourceMapPayload) // S1
    } catch {
      return null
    }
  }
}
