// Serve lines: what `tek serve` says of itself, an event a line.
// Owns: the words. Does not own: what happens (serve/).
//   L1. A text of a program's, a sender's or a file's making stays one line of bounded length: it cannot pass for one of these.
import { elapsed, neutraliseLine, type Paint } from '#base/terminal-text.ts'
import type { ServeEvent } from '#serve/event.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { waitWords } from '#telemetry/wait-words.ts'

const MAX_TEXT_LENGTH = 200
const MAX_WAITS = 5
const KIND_COLUMNS = 11

/** An event as a line, without its end. */
export function serveLine(event: ServeEvent, atMs: number, paint: Paint): string {
  const [kind, colour, words] = partsOf(event)
  return `${paint('dim', `${new Date(atMs).toISOString().slice(0, 19)}Z`)} ${paint(colour, kind.padEnd(KIND_COLUMNS))} ${words}`
}

type Parts = readonly [kind: string, colour: Parameters<Paint>[0], words: string]

function partsOf(event: ServeEvent): Parts {
  switch (event.kind) {
    case 'serving':
      return ['serving', 'bold', `${count(event.triggers, 'trigger')}, ${count(event.waiting, 'waiting run')}, process ${event.pid}`]
    case 'listening':
      return ['listening', 'bold', event.webhooks.map(name => `${event.url}/${line(name)}`).join(' ')]
    case 'fired':
      return ['fired', 'blue', `${about(event)} · run ${id(event.runId)}${firedBy(event)}`]
    case 'passed-over':
      return ['passed over', 'yellow', `${about(event)} of ${time(event.tickMs)} · run ${id(event.runId)} still goes on`]
    case 'not-fired':
      return ['not fired', 'yellow', `${about(event)} · ${notFired(event)}`]
    case 'watching-slowly':
      return ['slowly', 'yellow', `${line(event.trigger)} · changes are looked for at intervals: ${line(event.reason)}`]
    case 'begun':
      return [event.isResumed ? 'goes on' : 'begun', 'blue', `${line(event.workflow)} · run ${id(event.runId)}`]
    case 'ended': {
      const colour = event.status === 'done' ? 'green' : event.status === 'failed' ? 'red' : 'yellow'
      const more = [...(event.code === null ? [] : [line(event.code)]), ...event.waits.slice(0, MAX_WAITS).map(waitWords)]
      return [event.status, colour, [line(event.workflow), `run ${id(event.runId)}`, elapsed(event.elapsedMs), ...more].join(' · ')]
    }
    case 'refused':
      return ['refused', 'red', `run ${id(event.runId)} · ${line(event.code)}: ${line(event.message)}${event.retried ? ' It is tried again.' : ''}`]
    case 'delivery-refused':
      return ['refused', 'yellow', `delivery to ${line(event.path)} · ${event.status}: ${line(event.reason)}${event.untold > 0 ? ` (and ${event.untold} more that were not told)` : ''}`]
    case 'announced':
      return ['announced', event.failure === null ? 'blue' : 'red', `${line(event.task)} of run ${id(event.runId)}${event.failure === null ? '' : ` · ${line(event.failure)}`}`]
    case 'draining':
      return ['draining', 'yellow', `${count(event.runs, 'run')} under way; the next \`tek serve\` goes on with them`]
  }
}

function firedBy({ tickMs, isMissed, files, more }: Extract<ServeEvent, { kind: 'fired' }>): string {
  if (tickMs !== undefined) return ` · ${isMissed === true ? 'missed at' : 'at'} ${time(tickMs)}`
  if (files === undefined) return ''
  return ` · ${count(files, 'file')} changed${more === undefined ? '' : `, of which it is given ${(files - more).toLocaleString('en')}`}`
}

function notFired({ reason, files }: Extract<ServeEvent, { kind: 'not-fired' }>): string {
  const what = count(files, 'file')
  if (reason === 'own') return `${what} changed by its own run`
  if (reason === 'settled') return `${what} changed during its own runs again and again; the next change is heeded`
  return `${what} changed, and wait: it ran too often within a minute`
}

const about = ({ program, workflow, trigger }: { readonly program: string; readonly workflow: string; readonly trigger: string }): string => `${line(program)} ${line(workflow)} · ${line(trigger)}`

const line = (text: string): string => neutraliseLine(text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text)

const id = (runId: string): string => runId.slice(0, SHORT_ID)

const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

const count = (many: number, noun: string): string => `${many.toLocaleString('en')} ${noun}${many === 1 ? '' : 's'}`
