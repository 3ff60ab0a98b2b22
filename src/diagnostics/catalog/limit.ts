// Limit: what can be wrong in `limits { … }`.
// Owns: the words. Does not own: the table of limits (compiler/3-check/limits.ts).
import { defineDiagnostics } from '../diagnostic.ts'

export const limitErrors = defineDiagnostics('limit', {
  'unknown': { severity: 'error', message: (p: { name: string; place: string }) => `There is no limit \`${p.name}\` for ${p.place}.` },
  'wrong-unit': { severity: 'error', message: (p: { name: string; example: string }) => `The limit \`${p.name}\` is written like \`${p.example}\`.` },
  'not-positive': { severity: 'error', message: (p: { name: string }) => `The limit \`${p.name}\` must be more than zero.` },
})
