// Forms: the ways in which a planted secret could lie in a file or a stream, made without the redactor's own code.
// Owns: the search through everything a run left behind.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every form of a canary that is looked for. */
export function formsOf(canary: string): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(canary)
  const forms = new Map<string, Buffer>([['plain', bytes], ['most of it', bytes.subarray(4, -4)]])
  const add = (name: string, text: string): void => void forms.set(name, Buffer.from(text))
  const json = JSON.stringify(canary).slice(1, -1)
  for (const [written, text] of Object.entries({ '': canary, ' of JSON': json, ' of percent': encodeURIComponent(canary) })) {
    const inside = Buffer.from(text)
    for (let shift = 0; shift < 3; shift++) {
      const shifted = Buffer.concat([Buffer.alloc(shift, 'x'), inside, Buffer.from('xx')])
      const own = (encoded: string): string => encoded.slice(4, 4 * Math.floor((shift + inside.length) / 3))
      add(`base64${written} ${shift}`, own(shifted.toString('base64')))
      add(`base64url${written} ${shift}`, own(shifted.toString('base64url')))
    }
    add(`hex${written}`, inside.toString('hex'))
    add(`HEX${written}`, inside.toString('hex').toUpperCase())
  }
  add('percent', encodeURIComponent(canary))
  add('all percent', bytes.toString('hex').replace(/../g, '%$&'))
  add('JSON', json)
  add('HTML', canary.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'))
  forms.set('UTF-16', Buffer.from(canary, 'utf16le'))
  return forms
}

/** Where canaries are found: `place: form`. */
export function canariesIn(places: ReadonlyMap<string, Buffer>, canaries: readonly string[]): string[] {
  const found: string[] = []
  for (const [place, bytes] of places) {
    for (const canary of canaries) for (const [form, wanted] of formsOf(canary)) if (bytes.includes(wanted)) found.push(`${place}: ${form} of ${canary.slice(0, 6)}`)
  }
  return found
}

/** Every file beneath a folder, whole. */
export function bytesBeneath(folder: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) files.set(join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name)))
  }
  return files
}
