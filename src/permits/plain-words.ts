// Plain words: what a program asks for, as a person reads it who has never seen a grant.
// Owns: the groups, their order, the lines. Does not own: what is dangerous (dangers.ts), when they are shown (question.ts).
//   W1. Texts of a program never move the cursor, never hide and never look shorter than they are: control and invisible characters are shown, what is cut
//       says so and is marked.
//   W2. Nothing is left out in silence: lines beyond a screen's worth are counted.
import { neutralise, padToWidth, type Paint } from '#base/terminal-text.ts'
import { printGrant } from '#grants/grant-text.ts'
import type { AskedGrant, Grant } from '#model/capability.ts'
import { dangerOf } from './dangers.ts'

const MAX_SHOWN_LENGTH = 200
const MAX_LINES_A_GROUP = 12
const MAX_DETAIL_LINES = 1_000
const VERB_COLUMNS = 10

const verbs: Readonly<Record<string, string>> = { 'fs.read': 'read', 'fs.write': 'write', exec: 'run', net: 'connect', env: 'know', llm: 'ask', mcp: 'call' }
const order = ['fs.read', 'fs.write', 'exec', 'net', 'env']

/** A text of a program, safe to show (W1). */
export function safe(text: string): string {
  const shown = neutralise(text).replace(/\p{Default_Ignorable_Code_Point}/gu, '\ufffd').replace(/[\n\t]/g, ' ').replace(/ {3,}/g, spaces => ` ⟨${spaces.length} spaces⟩ `)
  return shown.length > MAX_SHOWN_LENGTH ? `${shown.slice(0, MAX_SHOWN_LENGTH)}… (${shown.length - MAX_SHOWN_LENGTH} characters more)` : shown
}

/** A grant as a person says it: `run npm test`. */
function said({ name, args }: Grant): { readonly verb: string; readonly what: string } {
  const verb = verbs[name]
  if (verb === undefined) return { verb: 'use', what: safe(printGrant({ name, args })) }
  if (name === 'exec') return { verb, what: safe(args.map(asWord).join(' ')) }
  if (name === 'env') return { verb, what: `the environment variable ${safe(args.join(' '))}` }
  return { verb, what: safe(args.join(' ')) }
}

/** What is started or reached behind the name of a server. */
const behind = (shows: string | undefined): string => (shows === undefined ? '' : `${/^https?:/.test(shows) ? 'reaches' : 'starts'} ${safe(shows)}`)

const asWord = (text: string): string => (/^[^\s"'\\]+$/.test(text) ? text : JSON.stringify(text))

function rank({ name }: Grant): number {
  const at = order.indexOf(name)
  return at < 0 ? order.length : at
}

/** The grants in groups, a line each, dangerous ones marked with `!`; `isConfined`: commands are, on this machine. `sign` stands before each: `+`, `-` or a space. */
export function linesOf(grants: readonly AskedGrant[], sign: '+' | '-' | ' ', paint: Paint, isConfined: boolean): string[] {
  const lines: string[] = []
  let [before, shown] = ['', 0]
  let left = 0
  const close = (): void => {
    if (left > 0) lines.push(paint('dim', `    ${' '.repeat(VERB_COLUMNS)}and ${left} more, shown with d`)) // W2
    left = shown = 0
  }
  for (const { grant, comesWith, shows } of [...grants].sort((a, b) => rank(a.grant) - rank(b.grant))) {
    const { verb, what } = said(grant)
    const danger = sign === '-' ? null : dangerOf(grant, isConfined)
    const isWarning = danger?.isWarning === true
    if (verb !== before) close()
    // A dangerous one is shown however many there are.
    if (++shown > MAX_LINES_A_GROUP && danger === null) {
      left++
      before = verb
      continue
    }
    const colour = sign === '-' ? 'dim' : isWarning ? 'red' : 'bold'
    const aside = [behind(shows), comesWith === null ? '' : `comes with ${safe(comesWith)}`, danger === null ? '' : `${isWarning ? '! ' : ''}${danger.says}`].filter(each => each !== '').join(', ')
    lines.push(`  ${sign} ${padToWidth(verb === before ? '' : verb, VERB_COLUMNS)}${paint(colour, what)}${aside === '' ? '' : paint(isWarning ? 'red' : 'dim', `   ${aside}`)}`)
    before = verb
  }
  close()
  return lines
}

/** Every grant as a program writes it. */
export function detailLines(grants: readonly AskedGrant[], paint: Paint, isConfined: boolean): string[] {
  const lines = grants.slice(0, MAX_DETAIL_LINES).map(({ grant, comesWith, shows }) => {
    const aside = [behind(shows), comesWith === null ? '' : `comes with ${safe(comesWith)}`, dangerOf(grant, isConfined)?.says ?? ''].filter(each => each !== '').join('; ')
    return `    can ${safe(printGrant(grant))}${aside === '' ? '' : paint('dim', `   ${aside}`)}`
  })
  return grants.length > MAX_DETAIL_LINES ? [...lines, `    and ${grants.length - MAX_DETAIL_LINES} more: \`tek plan\` shows all`] : lines
}

/** One line for the head of a run: `may read src/**, run npm test · no network`. */
export function headLine(grants: readonly AskedGrant[]): string {
  const own = [...grants].filter(each => each.comesWith === null).sort((a, b) => rank(a.grant) - rank(b.grant))
  const byVerb = new Map<string, string[]>()
  for (const { grant } of own) {
    const { verb, what } = said(grant)
    byVerb.set(verb, [...(byVerb.get(verb) ?? []), what])
  }
  const parts = [...byVerb].map(([verb, whats]) => `${verb} ${whats.slice(0, 3).join(', ')}${whats.length > 3 ? ` and ${whats.length - 3} more` : ''}`)
  const reachesOut = own.some(({ grant }) => ['net', 'exec', 'llm', 'mcp'].includes(grant.name))
  return `may ${parts.length > 0 ? parts.join('; ') : 'touch nothing'}${reachesOut ? '' : ' · no network'}`
}
