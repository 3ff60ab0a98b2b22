// The attack corpus: every row is carried out, what stopped it is compared with what the row says, and docs/attacks.md is written from the rows.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { neutraliseLine } from '#base/terminal-text.ts'
import type { Layer } from './attack.ts'
import { carryOut, families } from './corpus.ts'
import { namesInstead } from './network.ts'
import { World } from './world.ts'

vi.mock('node:dns', async original => namesInstead(await original<typeof import('node:dns')>()))

let world: World
beforeEach(() => { world = new World() })
afterEach(() => world.close())

const held = new Set<string>()
for (const { name, attacks } of families) {
  describe(name, () => {
    for (const attack of attacks) {
      test(`${attack.id}: ${attack.tries}`, async () => {
        await carryOut(attack, world)
        held.add(`${name} ${attack.id}`)
      }, 60_000)
    }
  })
}

const cell = (text: string): string => neutraliseLine(text).replaceAll('|', '\\|')

/** docs/attacks.md: what the rows above say, which is what happened. */
function page(): string {
  const all = families.flatMap(each => each.attacks)
  const layers = [...new Set(all.map(each => each.by))].map(by => ({ by, count: all.filter(each => each.by === by).length })).sort((a, b) => b.count - a.count)
  const words: Readonly<Record<Layer, string>> = {
    checker: 'before anything runs: `tek check` reports it', guard: 'the one door of every effect: the concrete argument is not granted', host: 'the door to the machine: it is no file, too large, refused, not there',
    tool: 'a tool of the standard library looks at what it is given', engine: 'bounds of a run: types, time, steps, sizes', meaning: 'nothing to attack: what was given is plain data, or leads nowhere',
    terminal: 'what tek shows is made harmless first', plan: 'a compiled plan is looked at before it is used', journal: 'the journal is looked at when it is read', 'audit log': 'entries follow from each other, and none can be changed or removed',
    permits: 'what the person who runs it has allowed', 'kill switch': 'nothing runs while it is set', 'command line': 'the file is refused before it is a program', nothing: 'it works, for the reason that the row gives',
  }
  return [
    '# Attacks', '',
    `${all.length} attacks that tests carry out for real, each on a folder of its own, and what stops each. Written by \`tests/security/attacks/attacks.test.ts\`: a row that is not true fails it.`,
    'What a confined command and a third-party plugin try is in `tests/security/escape` and `tests/security/plugins`.', '',
    'These are the attacks we thought of. That they are stopped does not say that there are no others.', '',
    '| stopped by | how | attacks |', '| --- | --- | --- |', ...layers.map(({ by, count }) => `| ${by} | ${words[by]} | ${count} |`), '',
    ...families.flatMap(({ name, about, attacks }) => [
      `## ${name}`, '', about, '', '| attack | it tries to | stopped by | with |', '| --- | --- | --- | --- |',
      ...attacks.map(each => `| ${each.id} | ${cell(each.tries)} | ${each.by} | ${each.with.includes('/') ? `\`${each.with}\`` : each.with} |`), '',
    ]),
  ].join('\n')
}

test('there are enough of them, each has a name of its own, and docs/attacks.md tells of them', async () => {
  const all = families.flatMap(each => each.attacks.map(attack => `${each.name} ${attack.id}`))
  expect(all.length).toBeGreaterThanOrEqual(60)
  expect(new Set(all).size).toBe(all.length)
  if (held.size === all.length) await expect(page()).toMatchFileSnapshot('../../../docs/attacks.md') // only a run of all of them knows
})
