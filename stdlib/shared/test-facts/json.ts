// Json: the reports that vitest, jest and mocha write with their JSON reporters.
// Owns: finding the report in the output and reading it. Does not own: other reporters.
//   N1. A report is one of the first MAX_CANDIDATES lines that are a record by themselves, or the first record that begins and ends with a brace on a line of
//       its own; other output may stand before and behind it. What has another shape is no report.
import { factsOf, MAX_MESSAGE_LINES, type Outcome, type TestFact, type TestFacts } from './facts.ts'

const MAX_CANDIDATES = 20

type Data = { readonly [key: string]: unknown }
const isData = (value: unknown): value is Data => value !== null && typeof value === 'object' && !Array.isArray(value)
const own = (data: Data, key: string): unknown => (Object.hasOwn(data, key) ? data[key] : undefined)
const list = (value: unknown): Data[] => (Array.isArray(value) ? value.filter(isData) : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const cut = (message: string): string => message.split('\n', MAX_MESSAGE_LINES).join('\n')

export function readJson(output: string): TestFacts | null {
  for (const candidate of candidates(output)) {
    let root: unknown
    try {
      root = JSON.parse(candidate)
    } catch {
      continue
    }
    if (!isData(root)) continue
    if (Array.isArray(own(root, 'testResults'))) return readJest(root)
    if (isData(own(root, 'stats')) && Array.isArray(own(root, 'tests'))) return readMocha(root)
  }
  return null
}

/** N1 */
function* candidates(output: string): Generator<string> {
  let tries = 0
  for (const [line] of output.matchAll(/^\{"[^\n]*\}[ \t]*$/gm)) if (tries++ < MAX_CANDIDATES) yield line
  const block = /^\{[ \t]*$/m.exec(output)
  const end = block === null ? null : /^\}[ \t]*$/m.exec(output.slice(block.index))
  if (block !== null && end !== null) yield output.slice(block.index, block.index + end.index + 1)
}

const OUTCOMES: Readonly<Record<string, Outcome>> = { passed: 'pass', failed: 'fail', todo: 'todo' }

function readJest(root: Data): TestFacts {
  const files = list(own(root, 'testResults'))
  const tests = files.flatMap((file): TestFact[] => {
    const found = list(own(file, 'assertionResults')).map((test): TestFact => {
      const above = own(test, 'ancestorTitles')
      const path = [...(Array.isArray(above) ? above.map(text) : []), text(own(test, 'title'))].filter(part => part !== '')
      const messages = own(test, 'failureMessages')
      return { name: path.length === 0 ? text(own(test, 'fullName')) : path.join(' > '), outcome: OUTCOMES[text(own(test, 'status'))] ?? 'skip', message: cut(Array.isArray(messages) ? messages.map(text).join('\n') : '') }
    })
    // A file that could not be loaded has no tests and counts as failed.
    if (found.length > 0 || own(file, 'status') !== 'failed') return found
    return [{ name: text(own(file, 'name')).split('/').at(-1) ?? '', outcome: 'fail', message: cut(text(own(file, 'message'))) }]
  })
  return factsOf(files.some(file => own(file, 'coverage') !== undefined || own(file, 'summary') !== undefined) || own(root, 'openHandles') !== undefined ? 'jest' : 'vitest', tests)
}

function readMocha(root: Data): TestFacts {
  const title = (test: Data): string => text(own(test, 'fullTitle')) || text(own(test, 'title'))
  const pending = new Set(list(own(root, 'pending')).map(title))
  const failures = new Map(list(own(root, 'failures')).map(test => {
    const error = own(test, 'err')
    return [title(test), isData(error) ? text(own(error, 'message')) : ''] as const
  }))
  const tests = list(own(root, 'tests')).map((test): TestFact => {
    const name = title(test)
    return { name, outcome: failures.has(name) ? 'fail' : pending.has(name) ? 'skip' : 'pass', message: cut(failures.get(name) ?? '') }
  })
  const named = new Set(tests.map(test => test.name))
  for (const [name, message] of failures) if (!named.has(name)) tests.push({ name, outcome: 'fail', message: cut(message) }) // a hook that failed
  return factsOf('mocha', tests)
}
