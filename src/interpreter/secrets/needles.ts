// Needles: the texts that give a secret away: itself, its lines, and its bytes as base64 and as hexadecimal.
// Owns: the forms that are looked for as they are. Does not own: escapes (escapes.ts takes them off before looking), finding (finder.ts).
//   E1. Base64 of a text that holds the secret holds one of three texts, by where in a group of three bytes the secret begins; what its
//       neighbours decide is left out. Both alphabets (RFC 4648 sections 4 and 5).
//   E2. A line of a secret with several is looked for by itself, if it is long enough to mean something: a key is often indented or wrapped.
//   E3. What is encoded as a whole may be JSON or an address that holds the secret: so its written forms are encoded as well.

/** Fewer characters are no secret, and would be found everywhere. */
export const LEAST_SECRET_LENGTH = 6
const LEAST_LINE_LENGTH = 16

export interface Needle {
  readonly text: string
  /** Line ends and blanks may stand in it: encoders break lines. */
  readonly mayBeWrapped: boolean
  readonly secret: string
}

/** The needles of a secret's value. */
export function needlesOf(secret: string, value: string): Needle[] {
  const texts = new Map<string, boolean>()
  for (const plain of plainForms(value)) {
    texts.set(plain, false)
    for (const encoded of writtenForms(plain).flatMap(encodedForms)) if (encoded.length >= LEAST_SECRET_LENGTH && !texts.has(encoded)) texts.set(encoded, true)
  }
  return [...texts].map(([text, mayBeWrapped]) => ({ text, mayBeWrapped, secret }))
}

function plainForms(value: string): string[] {
  if (!/[\r\n]/.test(value)) return [value]
  const lines = value.split(/[\r\n]+/).map(line => line.trim()).filter(line => line.length >= LEAST_LINE_LENGTH && !/^-+[A-Z ]+-+$/.test(line)) // E2
  return [value, ...lines]
}

/** A text as it stands in what is encoded as a whole: by itself, in JSON, in an address. // E3 */
function writtenForms(value: string): string[] {
  const inJson = JSON.stringify(value).slice(1, -1)
  return [...new Set([value, inJson, JSON.stringify(inJson).slice(1, -1), encodeURIComponent(Buffer.from(value).toString())])]
}

function encodedForms(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8')
  const hex = bytes.toString('hex')
  const forms = [hex, hex.toUpperCase()]
  for (const separator of [' ', ':']) {
    const apart = hex.match(/../g)!.join(separator)
    forms.push(apart, apart.toUpperCase())
  }
  for (let before = 0; before < 3; before++) { // E1
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64').replace(/=+$/, '')
    const wholeBits = (before + bytes.length) * 8
    const own = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(wholeBits / 6))
    forms.push(own, own.replaceAll('+', '-').replaceAll('/', '_'))
  }
  return forms
}
