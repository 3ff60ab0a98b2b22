// Redactor: a text without the secrets in it, however they are written.
// Owns: exact, base64, hexadecimal and escaped forms, layers of escapes, a text cut off within a secret. Does not own: what is a secret (vault.ts).
//   R1. Up to MAX_LAYERS of escapes are taken off, in every order in which they may have been put on (JSON within JSON, in an address),
//       the outermost first, and at most MAX_READINGS times for one text.
//   R2. Where a text was cut off, a beginning of a secret at its end goes as well.
//   R3. It keeps honest programs from writing secrets down. Who has the value and means to hide it (reversed, enciphered) can: what may have
//       it is decided before, by the flow of secrets and by the guard.
import { codesOf, escapeKinds, unescaped, type Codes, type Unescaped } from './escapes.ts'
import { Finder, type Found } from './finder.ts'
import { LEAST_SECRET_LENGTH, needlesOf, type Needle } from './needles.ts'
import { shownName } from './stand-in.ts'

const MAX_LAYERS = 3
const MAX_READINGS = 12
/** A beginning of a secret that is taken for one, at the end of a text that was cut off. */
const LEAST_CUT_LENGTH = 4
const MOST_CUT_LENGTH = 1_000

export class Redactor {
  /** Values that were given to it. */
  known = 0
  private readonly needles: Needle[] = []
  /** Made when it is first asked after a secret was added. */
  private finder: Finder | null = null
  /** Secrets that are whole numbers: they may come back as such. */
  private readonly numbers = new Map<number, string>()

  /** Looks for `value` from now on. Shorter ones than a secret must be are left alone. */
  add(name: string, value: string): void {
    if (value.length < LEAST_SECRET_LENGTH) return
    this.known++
    this.needles.push(...needlesOf(name, value))
    this.finder = null
    if (/^\d{6,16}$/.test(value)) this.numbers.set(Number(value), name)
  }

  text(text: string): string {
    if (this.needles.length === 0 || text.length < LEAST_SECRET_LENGTH) return text
    const finder = (this.finder ??= new Finder(this.needles))
    const codes = codesOf(text)
    const found = finder.find(codes)
    if (found === null) return '[secrets]'
    const readings: { readonly codes: Codes; readonly layers: readonly Unescaped[] }[] = [{ codes, layers: [] }]
    for (const reading of readings) { // R1
      if (reading.layers.length === MAX_LAYERS) break
      for (const kind of escapeKinds) {
        const layer = readings.length > MAX_READINGS ? null : unescaped(reading.codes, kind)
        if (layer === null) continue
        const layers = [...reading.layers, layer]
        readings.push({ codes: layer.codes, layers })
        const inside = finder.find(layer.codes)
        if (inside === null) return '[secrets]'
        for (const each of inside) found.push(asWritten(each, layers))
      }
    }
    return found.length === 0 ? text : without(text, found)
  }

  /** Of a text that was cut off after so many bytes. // R2 */
  cutText(text: string): string {
    const whole = this.text(text)
    const begun = this.begunAtEnd(whole)
    return begun === null ? whole : `${whole.slice(0, -begun.length)}[secret ${shownName(begun.secret)}]`
  }

  /** The longest beginning of a secret with which a text ends, or null. */
  begunAtEnd(text: string): { readonly length: number; readonly secret: string } | null {
    const tail = text.slice(-LEAST_CUT_LENGTH)
    let found: { length: number; secret: string } | null = null
    if (tail.length < LEAST_CUT_LENGTH) return null
    for (const { text: wanted, secret } of this.needles) {
      for (let at = wanted.indexOf(tail); at !== -1 && at < MOST_CUT_LENGTH; at = wanted.indexOf(tail, at + 1)) {
        const length = at + LEAST_CUT_LENGTH
        if (length < wanted.length && length > (found?.length ?? 0) && text.endsWith(wanted.slice(0, length))) found = { length, secret }
      }
    }
    return found
  }

  /** The name of the secret that a number is, or null. */
  ofNumber(value: number): string | null {
    return this.numbers.get(value) ?? null
  }
}

/** A place in an innermost text as a place in the text as it was. */
function asWritten({ start, end, secret }: Found, layers: readonly Unescaped[]): Found {
  let [from, last] = [start, end - 1]
  for (const layer of layers.toReversed()) [from, last] = [layer.startOf(from), layer.endOf(last) - 1]
  return { start: from, end: last + 1, secret }
}

function without(text: string, found: readonly Found[]): string {
  const parts: string[] = []
  let from = 0
  for (const { start, end, secret } of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (start >= from) parts.push(text.slice(from, start), `[secret ${shownName(secret)}]`)
    from = Math.max(from, end)
  }
  return parts.join('') + text.slice(from)
}
