// Syntax: what can be wrong with a file as text.
// Owns: the words. Does not own: where and when they are said (compiler/1-syntax).
import { defineDiagnostics } from '../diagnostic.ts'

export const syntaxErrors = defineDiagnostics('syntax', {
  'file-too-large': {
    severity: 'error',
    message: (p: { limitMb: number }) => `This file is larger than ${p.limitMb} MB.`,
    help: () => 'Split it: `use "./other.tek" (name)` takes declarations from another file.',
  },
  'too-deep': {
    severity: 'error',
    message: (p: { limit: number; what: string }) => `This is ${p.what} more than ${p.limit} deep.`,
    help: () => 'Give an inner part a name of its own: a `const`, a task, or a `type`.',
  },
  'unclosed-string': {
    severity: 'error',
    message: (p: { quotes: string }) => (p.quotes === '"""' ? 'This block string is not closed.' : 'This string is not closed.'),
    help: (p: { quotes: string }) => (p.quotes === '"""' ? 'Close it with `"""`.' : 'Close it with `"` on the same line; a text of several lines stands between `"""` and `"""`.'),
  },
  'unclosed-comment': {
    severity: 'error',
    message: () => 'This comment is not closed.',
    help: () => 'Close it with `*/`.',
  },
  'unclosed-bracket': {
    severity: 'error',
    message: (p: { open: string }) => `This \`${p.open}\` is not closed.`,
    help: (p: { open: string; close: string }) => `Close it with \`${p.close}\`.`,
  },
  'unmatched-bracket': {
    severity: 'error',
    message: (p: { close: string }) => `This \`${p.close}\` closes nothing.`,
    help: () => 'Remove it, or open the bracket it was meant to close.',
  },
  'stray-character': {
    severity: 'error',
    message: (p: { character: string }) => `${p.character} cannot stand here.`,
    help: () => 'Names are made of `a–z`, `A–Z`, `0–9` and `_`; inside a string any character may stand.',
  },
  'hidden-character': {
    severity: 'error',
    message: (p: { character: string; place: 'string' | 'comment' }) => `${p.character} stands in this ${p.place} and is not seen: it can make a text read as another.`,
    help: (p: { character: string; place: 'string' | 'comment' }) => (p.place === 'string' ? 'Write it as an escape, `\\u{…}`, where it is seen; or remove it.' : 'Remove it.'),
  },
  'bad-escape': {
    severity: 'error',
    message: (p: { escape: string }) => `\`${p.escape}\` means nothing in a string.`,
    help: () => 'The escapes are `\\n` `\\t` `\\r` `\\"` `\\\\` `\\$` and `\\u{1F600}`; a raw string `r"…"` has none.',
  },
  'unknown-unit': {
    severity: 'error',
    message: (p: { number: string; unit: string }) => `\`${p.number}\` has an unknown unit \`${p.unit}\`.`,
    help: () => 'Units are `ms s m h d` (time), `B KB MB GB TB` (size), `k M` (tokens), `%`, and `$` in front.',
  },
  'exponent': {
    severity: 'error',
    message: (p: { number: string }) => `\`${p.number}\` has an exponent: numbers are written out.`,
    help: () => 'An `_` between digits helps the eye: `1_000_000`. Tokens take `k` and `M`: `20k`.',
  },
  'stray-underscore': {
    severity: 'error',
    message: (p: { number: string }) => `An \`_\` of \`${p.number}\` does not stand between two digits.`,
    help: () => 'One `_` at a time, between digits: `1_000`.',
  },
  'number-too-large': {
    severity: 'error',
    message: (p: { number: string }) => `\`${p.number}\` is too large to be exact.`,
    help: () => 'Whole numbers go up to 9007199254740991, counted in ms, bytes, tokens or millionths of a dollar where there is a unit.',
  },
  'too-many-decimals': {
    severity: 'error',
    message: (p: { number: string }) => `\`${p.number}\` has more than 6 decimals.`,
    help: () => 'Money is counted in millionths of a dollar; round it to 6 decimals.',
  },
  'not-whole': {
    severity: 'error',
    message: (p: { number: string; base: string }) => `\`${p.number}\` is not a whole number of ${p.base}.`,
    help: () => 'Write it in a smaller unit, or round it.',
  },
  'foreign-operator': {
    severity: 'error',
    message: (p: { written: string; ours: string }) => `Write \`${p.ours}\` instead of \`${p.written}\`.`,
  },
  'foreign-comment': {
    severity: 'error',
    message: () => 'A comment begins with `//`, not with `#`.',
  },
  'foreign-quotes': {
    severity: 'error',
    message: (p: { quote: string }) => `A string stands between \`"\` and \`"\`, not \`${p.quote}\`.`,
  },
  'semicolon': {
    severity: 'error',
    message: () => 'No `;` is needed: a line or declaration ends by itself.',
  },
  'reserved-name': {
    severity: 'error',
    message: (p: { word: string }) => `\`${p.word}\` is a reserved word and cannot be a name here.`,
    help: (p: { word: string }) => `Choose another name, such as \`${p.word}1\` or \`my${p.word[0]!.toUpperCase()}${p.word.slice(1)}\`.`,
  },
  'expected-name': {
    severity: 'error',
    message: (p: { place: string; found: string }) => `Expected a name ${p.place}, found ${p.found}.`,
  },
  'expected-expression': {
    severity: 'error',
    message: (p: { place: string; found: string }) => `Expected an expression ${p.place}, found ${p.found}.`,
    help: () => 'An expression is a value, a name, a call, or an operator between two of them.',
  },
  'expected-type': {
    severity: 'error',
    message: (p: { place: string; found: string }) => `Expected a type ${p.place}, found ${p.found}.`,
    help: () => 'A type is such as `string`, `int`, `Finding[]`, `"low" | "high"` or `{ file: path, line?: int }`.',
  },
  'expected-token': {
    severity: 'error',
    message: (p: { expected: string; place: string; found: string }) => `Expected ${p.expected} ${p.place}, found ${p.found}.`,
  },
  'unexpected': {
    severity: 'error',
    message: (p: { found: string; place: string }) => `${p.found} cannot stand ${p.place}.`,
  },
  'missing-comma': {
    severity: 'error',
    message: () => 'A comma is missing here.',
  },
  'trailing-comma': {
    severity: 'error',
    message: () => 'This list has no brackets, so it takes no comma at its end.',
  },
  'equals-sign': {
    severity: 'error',
    message: (p: { written: string; ours: string; use: string }) => `${p.use} is written with \`${p.ours}\`, not \`${p.written}\`.`,
  },
  'chained-comparison': {
    severity: 'error',
    message: () => 'Comparisons cannot be chained.',
    help: () => 'Join two comparisons with `and`: `a < b and b < c`.',
  },
  'if-without-else': {
    severity: 'error',
    message: (p: { missing: string }) => `This \`if\` has no \`${p.missing}\`.`,
    help: () => '`if` is an expression and always has a value: `if condition then this else that`.',
  },
  'ternary': {
    severity: 'error',
    message: () => 'A choice is not written with `?` and `:`.',
    help: () => 'Write `if condition then this else that`.',
  },
  'unknown-declaration': {
    severity: 'error',
    message: (p: { word: string }) => `\`${p.word}\` begins no declaration.`,
  },
  'misplaced-declaration': {
    severity: 'error',
    message: (p: { word: string; place: string }) => `\`${p.word}\` cannot stand ${p.place}.`,
  },
  'unknown-clause': {
    severity: 'error',
    message: (p: { word: string; place: string }) => `\`${p.word}\` is not a clause of ${p.place}.`,
  },
  'duplicate-clause': {
    severity: 'error',
    message: (p: { clause: string; place: string }) => `\`${p.clause}\` stands twice in ${p.place}.`,
    help: () => 'Keep one of the two.',
  },
  'clause-order': {
    severity: 'error',
    message: (p: { clause: string }) => `\`${p.clause}\` comes too late in this task.`,
    help: () => 'The order is `for`, `by`, `->`, `after`, `when`, then the other clauses in any order, then `=`.',
  },
  'return-not-last': {
    severity: 'error',
    message: () => '`return` comes last in a workflow, and once.',
    help: () => 'Move it to the end; tasks may be written in any order before it.',
  },
})
