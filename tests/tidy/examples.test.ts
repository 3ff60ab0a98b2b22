// Docstring examples: each `@example` line of the form `expression // result` is run against the file it stands in.
import { isDeepStrictEqual } from 'node:util'
import { transformSync } from 'esbuild'
import { expect, test } from 'vitest'
import { filesUnder, isCode, read } from './source-tree.ts'

interface Example {
  readonly path: string
  readonly line: number
  readonly lines: readonly string[]
}

/** The `@example` blocks of the comments that stand before something exported. */
export function examplesOf(path: string, text: string): Example[] {
  const found: Example[] = []
  for (const match of text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\s*\nexport (?:async )?(?:function|const|class)\b/g)) {
    const at = match[1]!.indexOf('@example')
    if (at < 0) continue
    const body = match[1]!.slice(at + '@example'.length).split(/\n\s*\*\s*@\w/)[0]!
    const lines = body.split('\n').map(line => line.replace(/^\s*\* ?/, '')).filter(line => line.trim() !== '' && !line.startsWith('```'))
    found.push({ path, line: text.slice(0, match.index).split('\n').length, lines })
  }
  return found
}

/** Runs an example in the scope of `exported`; what differs, as sentences. */
export async function runExample(example: Example, exported: Readonly<Record<string, unknown>>): Promise<{ checked: number; wrong: string[] }> {
  const wrong: string[] = []
  let checked = 0
  let before = ''
  let pending = ''
  for (const line of example.lines) {
    const claim = /^(.*\S)\s+\/\/ (.+)$/.exec(line)
    if (!claim) {
      pending += `${line}\n`
      continue
    }
    const expression = `${pending}${claim[1]}`.trim().replace(/^await /, '')
    pending = ''
    const declared = /^(const|let)\s/.test(expression)
    let expected: unknown
    try {
      expected = await evaluate('', `(${claim[2]})`, exported)
    } catch {
      before += `${expression}\n` // prose after the slashes
      continue
    }
    if (declared) {
      before += `${expression}\n`
      continue
    }
    // What came before an expression of several lines may be whole statements: try the last line alone first.
    let actual: unknown
    try {
      actual = await evaluate(before, expression, exported)
    } catch {
      const parts = expression.split('\n')
      before += `${parts.slice(0, -1).join('\n')}\n`
      try {
        actual = await evaluate(before, parts.at(-1)!, exported)
      } catch (error) {
        wrong.push(`${example.path}:${example.line} ${parts.at(-1)}: ${String(error)}`)
        continue
      }
    }
    checked++
    if (!isDeepStrictEqual(plain(actual), plain(expected))) wrong.push(`${example.path}:${example.line} ${expression} gives ${JSON.stringify(actual)}, not ${claim[2]}`)
  }
  return { checked, wrong }
}

const plain = (value: unknown): unknown => (value === undefined ? undefined : structuredClone(value))

async function evaluate(before: string, expression: string, exported: Readonly<Record<string, unknown>>): Promise<unknown> {
  const names = Object.keys(exported).filter(name => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default')
  const source = `async function run() { ${before}\nreturn (${expression}\n) }`
  const { code } = transformSync(source, { loader: 'ts' })
  const make = new Function(...names, `${code}; return run()`) as (...values: unknown[]) => Promise<unknown>
  return make(...names.map(name => exported[name]))
}

const examples = filesUnder('src', isCode).flatMap(path => examplesOf(path, read(path)))

test('every example of a docstring is true', async () => {
  const wrong: string[] = []
  let checked = 0
  for (const example of examples) {
    if (!example.lines.some(line => /\S\s+\/\/ \S/.test(line))) continue
    const result = await runExample(example, (await import(`../../${example.path}`)) as Record<string, unknown>)
    checked += result.checked
    wrong.push(...result.wrong)
  }
  expect(wrong).toEqual([])
  expect(checked).toBeGreaterThan(4)
})

test('an untrue example is found', async () => {
  const [example] = examplesOf('a.ts', '/**\n * Adds.\n * @example\n * add(1, 2) // 4\n */\nexport function add() {}')
  const result = await runExample(example!, { add: (a: number, b: number) => a + b })
  expect(result.wrong).toEqual(['a.ts:1 add(1, 2) gives 3, not 4'])
})
