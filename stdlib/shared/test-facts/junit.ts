// JUnit: the XML that Surefire, pytest, jest-junit and most other runners can write.
// Owns: reading test cases. Does not own: the rest of XML: entities other than the five and numbers stay as they are, nothing is loaded.
//   J1. One pass from tag to tag; text between tags that are not test cases is passed over. CDATA is text.
import { factsOf, MAX_MESSAGE_LINES, MAX_TESTS, type TestFact, type TestFacts } from './facts.ts'

const TAG = /<!\[CDATA\[|<!--|<\/?([A-Za-z][\w:.-]*)((?:[^<>"']|"[^"<]*"|'[^'<]*')*)>/g
const MAX_DEPTH = 100
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

const decoded = (text: string): string => text.replace(/&(?:(lt|gt|quot|apos|amp)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g, (whole, name: string | undefined, decimal: string | undefined, hex: string | undefined) => {
  if (name !== undefined) return NAMED[name] ?? whole
  const code = decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? '', 16)
  return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : whole
})

function attribute(attributes: string, wanted: string): string {
  for (const [, name, double, single] of attributes.matchAll(/(?<![\w:.-])([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) if (name === wanted) return decoded(double ?? single ?? '')
  return ''
}

export function readJunit(text: string): TestFacts | null {
  if (!/<testsuites?[\s>/]/.test(text)) return null
  const tests: TestFact[] = []
  let current: TestFact | null = null
  /** Suites around; node:test names every class "test" and says where a test stands by its suites alone. */
  const suites: string[] = []
  let failureFrom = -1
  TAG.lastIndex = 0
  for (let found = TAG.exec(text); found !== null && tests.length < MAX_TESTS; found = TAG.exec(text)) {
    if (found[1] === undefined) { // J1
      const end = text.indexOf(found[0] === '<!--' ? '-->' : ']]>', TAG.lastIndex)
      if (end < 0) break
      TAG.lastIndex = end + 3
      continue
    }
    const [tag, name, attributes = ''] = found
    const [isEnd, isEmpty] = [tag.startsWith('</'), attributes.trimEnd().endsWith('/')]
    if (name === 'testcase') {
      if (!isEnd) {
        const className = attribute(attributes, 'classname')
        current = { name: [...(className === 'test' ? suites : [className]), attribute(attributes, 'name')].filter(part => part !== '').join(' > '), outcome: 'pass' }
        tests.push(current)
      }
      if (isEnd || isEmpty) current = null
    } else if (name === 'testsuite' && !isEmpty) {
      if (isEnd) suites.pop()
      else if (suites.length < MAX_DEPTH) suites.push(attribute(attributes, 'name'))
    } else if (current !== null && (name === 'failure' || name === 'error')) {
      current.outcome = 'fail'
      current.message ??= attribute(attributes, 'message')
      if (!isEnd && !isEmpty) failureFrom = TAG.lastIndex
      else if (isEnd && failureFrom >= 0) {
        const body = text.slice(failureFrom, Math.min(found.index, failureFrom + 20_000)).replace(/<!\[CDATA\[|\]\]>/g, '')
        current.message = `${current.message}\n${decoded(body)}`.trim().split('\n').slice(0, MAX_MESSAGE_LINES).join('\n')
        failureFrom = -1
      }
    } else if (current !== null && name === 'skipped' && current.outcome === 'pass') current.outcome = 'skip'
  }
  return factsOf('junit', tests)
}
