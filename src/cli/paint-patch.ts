// Paint patch: a unified diff with its lines coloured and made harmless.
import { neutralise, type Paint } from '#base/terminal-text.ts'

/** Text of a unified diff, coloured by line; empty when nothing differs. */
export function paintPatch(patch: string, paint: Paint): string {
  const lines = patch.split('\n').filter(line => !/^(=+|Index: .*)$/.test(line))
  if (!lines.some(line => line.startsWith('@@'))) return ''
  return lines
    .map(line => {
      const shown = neutralise(line)
      if (line.startsWith('+++') || line.startsWith('---')) return paint('bold', shown)
      if (line.startsWith('@@')) return paint('cyan', shown)
      if (line.startsWith('+')) return paint('green', shown)
      return line.startsWith('-') ? paint('red', shown) : shown
    })
    .join('\n')
}
