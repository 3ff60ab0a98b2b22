// What agents say while they say it: how much and how often, and on the line of their task.
import { describe, expect, test } from 'vitest'
import { Saying } from '#interpreter/effects/saying.ts'
import type { RunNotice } from '#model/report.ts'
import { consoleListener } from '#telemetry/console.ts'
import { plainListener } from '#telemetry/plain.ts'

type Said = Extract<RunNotice, { kind: 'saying' }>

function listening(redact: (text: string) => string = text => text) {
  let nowMs = 0
  const shown: Said[] = []
  const saying = new Saying({ task: 'review', agent: 'reviewer', now: () => nowMs, redact, show: notice => void shown.push(notice) })
  return { saying, shown, pass: (ms: number) => void (nowMs += ms) }
}

describe('what an agent says', () => {
  test('is shown word by word, its end, a few times in a second', () => {
    const { saying, shown, pass } = listening()
    for (let word = 0; word < 1_000; word++) {
      saying.take({ kind: 'text', text: `word${word} ` })
      pass(10)
    }
    expect(shown.length).toBe(40)
    expect(shown[0]).toEqual({ kind: 'saying', task: 'review', agent: 'reviewer', what: 'text', text: 'word0' })
    expect(shown.at(-1)!.text).toMatch(/^….{100,120}word975$/)
  })

  test('thoughts, and tools that are called, are told apart', () => {
    const { saying, shown, pass } = listening()
    saying.take({ kind: 'thinking', text: 'let me see\n' })
    pass(1_000)
    saying.take({ kind: 'text', text: 'It is ' })
    saying.take({ kind: 'tool-use', name: 'fs_read' })
    expect(shown.map(({ what, text }) => [what, text])).toEqual([['thinking', 'let me see'], ['text', 'It is'], ['tool', 'fs_read']])
  })

  test('a secret in pieces is never shown, not even in part', () => {
    const { saying, shown, pass } = listening(text => text.replaceAll('hunter2-is-secret', '[key]'))
    for (const text of ['the key is hunt', 'er2-is', '-secret', ' and that', ' is all']) {
      saying.take({ kind: 'text', text })
      pass(1_000)
    }
    expect(shown.map(each => each.text)).toEqual(['the key is', 'the key is', 'the key is', 'the key is [key] and', 'the key is [key] and that is'])
    expect(JSON.stringify(shown)).not.toContain('hunt')
  })
})

describe('on a screen', () => {
  const surface = (): { text: string; write(text: string): void; columns(): number; paint: (colour: string, text: string) => string } => {
    const made = { text: '', write: (text: string) => void (made.text += text), columns: () => 100, paint: (_: string, text: string) => text }
    return made
  }
  const said: Said = { kind: 'saying', task: 'review', agent: 'reviewer', what: 'text', text: 'so far\u001b[2J' }
  const progress = { kind: 'progress', fraction: 0, etaMs: null, tasks: { total: 1, done: 0, failed: 0, skipped: 0, cancelled: 0 }, running: ['review'], calls: {} } as unknown as RunNotice

  test('it stands on the line of its task, harmless, until the model has answered', () => {
    let nowMs = 0
    const screen = surface()
    const listener = consoleListener(screen as never, () => nowMs)
    const drawn = (notice: RunNotice): string => {
      screen.text = ''
      nowMs += 1_000
      listener.notice(notice)
      listener.tick()
      return screen.text
    }
    drawn(progress)
    expect(drawn(said)).toContain('review  “so far␛[2J”')
    expect(drawn({ ...said, what: 'tool', text: 'fs_read' })).toContain('review  calls fs_read')
    expect(drawn({ kind: 'model', task: 'review', agent: 'reviewer', model: 'smart', turn: 1, isAsking: false, tokens: 1, costMicros: 0 })).not.toContain('fs_read')
  })

  test('without a terminal it is not shown', () => {
    const screen = surface()
    plainListener(screen as never).notice(said)
    expect(screen.text).toBe('')
  })
})
