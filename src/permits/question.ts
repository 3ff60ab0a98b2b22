// Question: asking a person, once, whether a program may do what it asks for.
// Owns: what is shown, which answers there are. Does not own: the terminal (cli/), what is recorded (settle.ts).
//   Q1. No is the default: an empty line, the end of input, Ctrl-C and anything that is no answer, three times, are a no.
//   Q2. Of what was permitted before, only the difference is asked.
import type { Paint } from '#base/terminal-text.ts'
import type { AskedGrant, Grant } from '#model/capability.ts'
import { detailLines, linesOf, safe } from './plain-words.ts'

const MAX_TRIES = 3
/** Times that details are shown. */
const MAX_DETAILS = 10

/** Somebody in front of a terminal. */
export interface Person {
  write(text: string): void
  readonly paint: Paint
  /** One line of their answer; null for the end of input or Ctrl-C. */
  ask(prompt: string): Promise<string | null>
}

export type Reply = 'record' | 'once' | 'no'

export interface Question {
  readonly program: string
  /** `tests`: it is its tests that ask. */
  readonly isTest: boolean
  /** The folder's permits file allows it; the person has not seen that yet. */
  readonly isBrought: boolean
  /** What is new; `before` is what it was permitted already, of which it no longer uses `unused`. */
  readonly missing: readonly AskedGrant[]
  /** What comes with those, as part of tek: shown with the details. */
  readonly comes: readonly AskedGrant[]
  readonly before: boolean
  readonly unused: readonly Grant[]
  /** The date on which the permit ended. */
  readonly endedOn: string | null
  /** Said with the answer that records: until when. */
  readonly until: string | null
  /** False where there is no name to record it by. */
  readonly canRecord: boolean
  /** Whether this machine confines commands. */
  readonly isConfined: boolean
}

/** Asks until there is an answer (Q1). */
export async function askPerson(question: Question, person: Person): Promise<Reply> {
  const { paint } = person
  const name = paint('bold', safe(question.program))
  const who = question.isTest ? `The tests of ${name}` : name
  const head = question.endedOn !== null ? `What ${who} was allowed here ended on ${question.endedOn}. ${question.isTest ? 'They ask' : 'It asks'} to`
    : question.before ? `${who} ${question.isTest ? 'ask' : 'asks'} for more than ${question.isTest ? 'they were' : 'it was'} allowed here, to` // Q2
    : `${who} ${question.isTest ? 'ask' : 'asks'} to`
  const sign = question.before && question.endedOn === null ? '+' : ' '
  const lines = [`${head}`, ...linesOf(question.missing, sign, paint, question.isConfined)]
  if (question.unused.length > 0) lines.push('and has no more use for', ...linesOf(question.unused.map(grant => ({ grant, comesWith: null })), '-', paint, question.isConfined))
  if (question.isBrought) lines.push('The tek.permits.yaml that came with this folder allows it; you have not, on this machine.')
  person.write(`${lines.join('\n')}\n`)
  const until = question.until === null ? '' : ` until ${question.until}`
  const kept = question.isBrought ? 'as it says' : `kept in tek.permits.yaml${until}`
  const answers = [question.canRecord ? `${paint('bold', 'y')} yes, ${kept}` : '', `${paint('bold', 'o')} only this once`, `${paint('bold', 'N')} no`, `${paint('bold', 'd')} details`]
  const prompt = `Allow it? ${answers.filter(each => each !== '').join(' · ')}  `
  for (let [tries, details] = [0, 0]; tries < MAX_TRIES && details < MAX_DETAILS; ) {
    const reply = (await person.ask(prompt))?.trim().toLowerCase()
    if (reply === undefined || reply === '' || reply === 'n' || reply === 'no') return 'no' // Q1
    if ((reply === 'y' || reply === 'yes') && question.canRecord) return 'record'
    if (reply === 'o' || reply === 'once') return 'once'
    if (reply === 'd' || reply === 'details') {
      details++
      person.write(`${detailLines([...question.missing, ...question.comes], paint, question.isConfined).join('\n')}\n`)
    } else {
      tries++
      person.write(`Please answer ${question.canRecord ? 'y, o, n or d' : 'o, n or d'}.\n`)
    }
  }
  return 'no'
}
