// Attacks by data: documents that grow, nest, loop or poison when they are read, and work that never ends.
import { expect } from 'vitest'
import type { Value } from '#model/type.ts'
import { type Attack, type Family, type Stopped } from './attack.ts'

const tool = (code: string): Stopped => ({ by: 'tool', with: code })
const engine = (code: string): Stopped => ({ by: 'engine', with: code })

/** A program whose one task is `expression`, with a parameter `given`. */
function program(expression: string, type = 'any'): string {
  return `workflow w(given: string = "") -> ${type} {\n  can fs.read("**")\n  task it = ${expression}\n  return it\n}\n`
}

function bomb(id: string, tries: string, expected: Stopped, expression: string, text = ''): Attack {
  return {
    id, tries, by: expected.by, with: expected.with,
    run: async world => (await world.ran(program(expression), { given: text })).stopped,
  }
}

/** What it makes of the data is looked at: nothing but data. */
function harmless(id: string, tries: string, become: string, expression: string, text: string, check: (value: Value) => boolean): Attack {
  return {
    id, tries, by: 'meaning', with: become,
    async run(world) {
      const { stopped, value } = await world.ran(program(expression), { given: text })
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
      expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted')
      if (stopped.by !== 'nothing') return stopped
      return check(value) ? { by: 'meaning', with: become } : { by: 'nothing', with: JSON.stringify(value).slice(0, 200) }
    },
  }
}

const isPlain = (): boolean => true
const poison = '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'
const laughs = ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`)].join('\n')

const attacks: readonly Attack[] = [
  harmless('proto-json', 'change what every object has by `__proto__` in JSON', 'plain data', 'json.parse(given)', poison, isPlain),
  harmless('proto-merge', 'do so by a merge', 'plain data', 'json.merge(json.parse("{}"), json.parse(given))', poison, isPlain),
  harmless('proto-set', 'do so by a pointer', 'plain data', 'json.set(json.parse("{}"), "/__proto__/polluted", true)', '', isPlain),
  harmless('proto-yaml', 'do so in YAML', 'plain data', 'yaml.parse(given)', '__proto__:\n  polluted: true\n', isPlain),
  harmless('proto-csv', 'do so by the heading of a CSV file', 'plain data', 'csv.rows(given)', '__proto__,constructor\npolluted,x\n', isPlain),
  harmless('proto-group', 'do so by the key of a group', 'plain data', 'groupBy(["__proto__", "polluted"], x => x)', '', isPlain),
  harmless('yaml-tag', 'run code by a tag of YAML', 'plain data', 'yaml.parse(given)', 'a: !!js/function "() => process.exit(1)"\n', isPlain),
  bomb('yaml-laughs', 'grow nine lines of YAML to a billion items by aliases', tool('yaml/not-yaml'), 'yaml.parse(given)', laughs),
  bomb('yaml-deep', 'nest YAML 100,000 deep', tool('yaml/too-deep'), 'yaml.parse(given)', '['.repeat(100_000)),
  bomb('yaml-large', 'read 5 MB of YAML', tool('yaml/too-long'), 'yaml.parse(given)', 'a: b\n'.repeat(1_000_000)),
  bomb('json-deep', 'nest JSON 100,000 deep', tool('json/too-deep'), 'json.parse(given)', `${'['.repeat(100_000)}${']'.repeat(100_000)}`),
  bomb('json-bad-number', 'read a number beyond all numbers', tool('plugin/bad-output'), 'json.parse(given)', '[1e999999]'),
  bomb('csv-large', 'read 12 MB of CSV', tool('csv/too-long'), 'csv.parse(given)', 'a,b\n'.repeat(3_000_000)),
  bomb('csv-rows', 'read a CSV file of a million rows and more', tool('csv/too-many'), 'csv.parse(given)', 'a\n'.repeat(1_000_010)),
  bomb('repeat', 'repeat a text to 10 GB', tool('text/too-long'), 'text.repeat("0123456789", 1000000000)'),
  bomb('pad', 'pad a text to 10 GB', tool('text/bad-width'), 'text.padEnd("x", 10000000000)'),
  bomb('replace-grow', 'grow a text by replacing', engine('run/value-too-large'), `len(${'replace('.repeat(9)}"aaaaaaaaaa"${', "a", "aaaaaaaaaa")'.repeat(9)})`),
  bomb('range', 'make a list of a billion numbers', engine('run/value-too-large'), 'len(range(1000000000))'),
  bomb('product', 'go through a million times a million items', engine('run/expression-too-long'), 'len([y for x in range(100000) if len([z for z in range(100000) if z == x]) > 0])'.replace('[y for', '[x for')),
  bomb('glob-alternatives', 'ask for 2^30 patterns at once', tool('fs/too-large'), `fs.glob("${'{a,b}'.repeat(30)}")`),
  harmless('regex-star', 'hold the processor with `(a+)+$`', 'linear time', 'text.matches(given, r"^(a+)+$")', `${'a'.repeat(50_000)}!`, value => value === false),
  harmless('regex-alternatives', 'hold it with `(a|a)*b`', 'linear time', 'text.matches(given, r"^(a|a)*b$")', 'a'.repeat(50_000), value => value === false),
  bomb('regex-repeat', 'ask for a pattern of 10^12 states', tool('text/bad-pattern'), 'text.matches(given, r"((a{1000}){1000}){1000}")'),
  bomb('regex-backreference', 'ask for a pattern that no machine matches in linear time', tool('text/bad-pattern'), String.raw`text.matches(given, r"(a+)\1+$")`),
  harmless('markdown-script', 'have a script carried into a page by Markdown', 'shown as text', 'markdown.toHtml(given)', '<script>alert(1)</script>\n\n[x](javascript:alert(1))\n', value => !/<script|href="javascript/i.test(String(value))),
  harmless('csv-formula', 'have a spreadsheet run a formula from a table', 'shown as text', 'csv.printRows([{ a: given }], safe: true)', '=cmd|"/c calc"!A1', value => String(value).includes('\'=')),
  bomb('overflow', 'count beyond what is exact', engine('run/integer-overflow'), '9007199254740991 + len(given)', 'x'),
  {
    id: 'tasks', tries: 'begin a million tasks', by: 'engine', with: 'run/too-many-tasks',
    run: async world => (await world.ran('workflow w(n: int) -> int {\n  task many for x in range(n) = x\n  return len(many)\n}\n', { n: 1_000_000 })).stopped,
  },
  {
    id: 'sleep', tries: 'wait for ever in a task with a timeout', by: 'engine', with: 'run/timed-out',
    run: async world => (await world.ran('workflow w() -> any {\n  task it timeout 100ms = time.sleep(1h)\n  return it\n}\n')).stopped,
  },
  {
    id: 'wrong-answer', tries: 'answer with another type than the program expects', by: 'engine', with: 'run/wrong-type',
    run: async world => (await world.ran('workflow w(given: string) -> int {\n  task it -> { port: int } = json.parse(given)\n  return it.port\n}\n', { given: '{"port": "80; rm -rf /"}' })).stopped,
  },
]

export const dataAttacks: Family = { name: 'Data', about: 'Documents and values that a program reads or computes.', attacks }
