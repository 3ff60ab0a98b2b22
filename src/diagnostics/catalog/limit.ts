// Limit: what can be wrong in `limits { … }`.
// Owns: the words. Does not own: the table of limits (compiler/3-check/limits.ts), what a program spends (compiler/3-check/worst-case).
import { defineDiagnostics } from '../diagnostic.ts'

interface Excess {
  /** ``the workflow `x` `` or `this file`. */
  readonly owner: string
  readonly needed: string
  readonly limit: string
  /** How it comes about; '' where there is nothing to say. */
  readonly how: string
}

const begin = (text: string): string => text[0]!.toUpperCase() + text.slice(1)
const because = ({ how }: Excess): string => (how === '' ? '' : ` (${how})`)
const lower = (what: string) => (p: Excess): string => `Raise the limit to ${p.needed} or more, or ${what}.`

export const limitErrors = defineDiagnostics('limit', {
  'unknown': { severity: 'error', message: (p: { name: string; place: string }) => `There is no limit \`${p.name}\` for ${p.place}.` },
  'wrong-unit': { severity: 'error', message: (p: { name: string; example: string }) => `The limit \`${p.name}\` is written like \`${p.example}\`.` },
  'not-positive': { severity: 'error', message: (p: { name: string }) => `The limit \`${p.name}\` must be more than zero.` },
  'exceeds-tasks': {
    severity: 'error',
    message: (p: Excess) => `${begin(p.owner)} has ${p.needed} in any case${because(p)}; its limit is ${p.limit}.`,
    help: lower('give it fewer items'),
  },
  'exceeds-calls': {
    severity: 'error',
    message: (p: Excess) => `${begin(p.owner)} makes ${p.needed} in any case${because(p)}; its limit is ${p.limit}.`,
    help: lower('give it fewer items'),
  },
  'exceeds-tokens': {
    severity: 'error',
    message: (p: Excess) => `${begin(p.owner)} sets aside ${p.needed} for its agents${because(p)}; its limit is ${p.limit}.`,
    help: lower('lower what each agent may spend, or give it fewer items'),
  },
  'exceeds-cost': {
    severity: 'error',
    message: (p: Excess) => `${begin(p.owner)} sets aside ${p.needed} for its agents${because(p)}; its limit is ${p.limit}.`,
    help: lower('lower what each agent may spend, or give it fewer items'),
  },
  'exceeds-time': {
    severity: 'error',
    message: (p: { owner: string; limit: string; task: string; needed: string; what: string }) => `The task \`${p.task}\` may take ${p.needed} (${p.what}), and ${p.owner} as a whole ${p.limit}.`,
    help: (p: { owner: string; limit: string; task: string; needed: string; what: string }) => `Raise the limit to ${p.needed} or more, or shorten ${p.what}.`,
  },
})
