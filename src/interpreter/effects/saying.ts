// Saying: what a model says while it says it, for whoever watches.
// Owns: how much and how often is shown. Does not own: the answer, which is recorded when it is whole.
//   S1. At most one notice in MIN_GAP_MS, of at most MAX_SHOWN_LENGTH characters: the end of what was said.
//   S2. A word is shown when it is over: a secret that comes in pieces is known only then.
import type { ChatDelta } from '#model/chat.ts'
import type { RunNotice } from '#model/report.ts'

const MIN_GAP_MS = 250
const MAX_SHOWN_LENGTH = 120
/** Characters that are kept to look for secrets in. */
const MAX_KEPT_LENGTH = 4_096

export interface SayingSettings {
  /** Path of the task. */
  readonly task: string
  readonly agent: string
  /** Milliseconds that never go back. */
  readonly now: () => number
  readonly redact: (text: string) => string
  readonly show: (notice: Extract<RunNotice, { kind: 'saying' }>) => void
}

export class Saying {
  private readonly settings: SayingSettings
  private kind: 'text' | 'thinking' = 'text'
  private kept = ''
  private shownAtMs = Number.NEGATIVE_INFINITY

  constructor(settings: SayingSettings) {
    this.settings = settings
  }

  take(delta: ChatDelta): void {
    if (delta.kind === 'tool-use') {
      this.kept = ''
      return this.show('tool', delta.name)
    }
    if (delta.kind !== this.kind) this.kept = ''
    this.kind = delta.kind
    this.kept = (this.kept + delta.text).slice(-MAX_KEPT_LENGTH)
    const over = this.kept.search(/\s\S*$/) // S2
    if (over === -1 || this.settings.now() - this.shownAtMs < MIN_GAP_MS) return // S1
    this.show(this.kind, this.kept.slice(0, over))
  }

  /** What was said does not count. */
  restart(): void {
    this.kept = ''
  }

  private show(what: 'text' | 'thinking' | 'tool', text: string): void {
    const { task, agent, now, redact, show } = this.settings
    const words = redact(text).replace(/\s+/g, ' ').trim()
    if (words === '') return
    this.shownAtMs = now()
    show({ kind: 'saying', task, agent, what, text: words.length > MAX_SHOWN_LENGTH ? `…${words.slice(-MAX_SHOWN_LENGTH)}` : words })
  }
}
