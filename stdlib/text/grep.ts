// Grep: lines of many files that match.
// Owns: reading files a few at a time and in order. Files that are not text (NUL or not UTF-8) and files over 10 MB are passed over, with a line in the log.
import { ToolFailure, type ToolContext } from 'tek-lang/plugin'
import { linesOf } from './compare.ts'
import { compilePattern, isPlain } from './regex.ts'

const MAX_FILE_BYTES = 10_000_000
const FILES_AT_ONCE = 16
const MAX_LINE_LENGTH = 2_000
const MAX_PASSED_OVER_LOGS = 20

export interface Hit {
  file: string
  line: number
  column: number
  text: string
}

async function readIfText(path: string, context: ToolContext): Promise<string | null> {
  const found = await context.files.stat(path)
  if (found === null || found.kind !== 'file' || found.sizeBytes > MAX_FILE_BYTES) return null
  const bytes = await context.files.readBytes(path, { maxBytes: MAX_FILE_BYTES })
  if (bytes.subarray(0, 8_000).includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

/** Column (code points from 1) of the first match in a line, or null. */
function lineMatcher(pattern: string, ignoreCase: boolean): (line: string) => number | null {
  const column = (line: string, units: number) => [...line.slice(0, units)].length + 1
  if (isPlain(pattern) && !ignoreCase) {
    return line => {
      const at = line.indexOf(pattern)
      return at < 0 ? null : column(line, at)
    }
  }
  const compiled = compilePattern(pattern, ignoreCase)
  return line => {
    const matcher = compiled.matcher(line)
    return matcher.find() ? column(line, matcher.start()) : null
  }
}

export async function grepFiles(
  paths: readonly string[], pattern: string, options: { ignoreCase: boolean; limit: number }, context: ToolContext,
): Promise<Hit[]> {
  const matches = lineMatcher(pattern, options.ignoreCase)
  const hits: Hit[] = []
  let passedOver = 0
  for (let start = 0; start < paths.length; start += FILES_AT_ONCE) {
    context.signal.throwIfAborted()
    const batch = paths.slice(start, start + FILES_AT_ONCE)
    const texts = await Promise.all(batch.map(path => readIfText(path, context)))
    batch.forEach((file, index) => {
      const text = texts[index]
      if (text === null || text === undefined) {
        if (++passedOver <= MAX_PASSED_OVER_LOGS) context.log(`passed over ${file}: not a text file of at most 10 MB`)
        return
      }
      linesOf(text).forEach((line, number) => {
        const column = matches(line)
        if (column === null) return
        if (hits.length >= options.limit) {
          throw new ToolFailure('too-many', `More than ${options.limit} lines match.`, { help: 'Use a narrower pattern, fewer files, or a higher `limit`.' })
        }
        hits.push({ file, line: number + 1, column, text: line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}…` : line })
      })
    })
    context.progress(Math.min(1, (start + FILES_AT_ONCE) / paths.length))
  }
  return hits
}
