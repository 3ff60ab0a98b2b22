// Type: what can be wrong with the kind of a value.
// Owns: the words. Does not own: the algebra of types (types/) or where it is asked (compiler/3-check).
import { defineDiagnostics } from '../diagnostic.ts'

export const typeErrors = defineDiagnostics('type', {
  'mismatch': {
    severity: 'error',
    message: (p: { place: string; expected: string; found: string }) => `${p.place} must be \`${p.expected}\`, and this is \`${p.found}\`.`,
  },
  'may-be-null': { severity: 'error', message: (p: { what: string; type: string }) => `${p.what} may be null (its type is \`${p.type}\`).` },
  'unknown-field': { severity: 'error', message: (p: { name: string; type: string }) => `There is no field \`${p.name}\` in \`${p.type}\`.` },
  'duplicate-field': { severity: 'error', message: (p: { name: string }) => `The field \`${p.name}\` is given twice.`, help: () => 'Keep one of the two.' },
  'not-a-list': { severity: 'error', message: (p: { place: string; type: string }) => `${p.place} goes through a list, and this is \`${p.type}\`.` },
  'not-callable': { severity: 'error', message: (p: { what: string }) => `${p.what} cannot be called.` },
  'wrong-operands': {
    severity: 'error',
    message: (p: { op: string; left: string; right: string }) => `\`${p.op}\` does not work on \`${p.left}\` and \`${p.right}\`.`,
  },
  'cannot-negate': { severity: 'error', message: (p: { type: string }) => `A \`${p.type}\` has no opposite: \`-\` works on numbers.` },
  'never-equal': {
    severity: 'error',
    message: (p: { left: string; right: string }) => `\`${p.left}\` and \`${p.right}\` can never be equal.`,
  },
  'condition-not-bool': {
    severity: 'error',
    message: (p: { place: string; type: string }) => `${p.place} must be true or false, and this is \`${p.type}\`.`,
  },
  'match-not-exhaustive': {
    severity: 'error',
    message: (p: { missing: string }) => `This \`match\` has no arm for ${p.missing}.`,
    help: () => 'Add an arm for it, or `_ => …` for everything else.',
  },
  'pattern-never-matches': { severity: 'error', message: (p: { pattern: string; type: string }) => `\`${p.pattern}\` is never the value of a \`${p.type}\`.` },
  'unreachable-arm': { severity: 'warning', message: () => 'This arm is never reached: the arms before it take everything.', help: () => 'Remove it, or move it up.' },
  'needs-narrowing': {
    severity: 'error',
    message: (p: { name: string }) => `\`${p.name}\` cannot be taken from \`json\`: nobody knows yet what is in it.`,
    help: () => 'Say what it is in the type of a task: `task data -> { name: string } = …`; the value is checked against it.',
  },
  'lambda-not-expected': {
    severity: 'error',
    message: (p: { place: string }) => `${p.place} takes a value, not a function.`,
    help: () => '`x => …` may stand as an argument of `filter`, `map`, `sortBy` and the like.',
  },
  'unknown-argument': { severity: 'error', message: (p: { callee: string; name: string }) => `\`${p.callee}\` has no parameter \`${p.name}\`.` },
  'missing-argument': { severity: 'error', message: (p: { callee: string; names: string }) => `\`${p.callee}\` also needs ${p.names}.` },
  'too-many-arguments': { severity: 'error', message: (p: { callee: string; most: number }) => `\`${p.callee}\` takes ${p.most === 0 ? 'no arguments' : p.most === 1 ? 'one argument' : `at most ${p.most} arguments`}.` },
  'argument-given-twice': { severity: 'error', message: (p: { name: string }) => `The argument \`${p.name}\` is given twice.`, help: () => 'Keep one of the two.' },
  'bad-refinement': { severity: 'error', message: (p: { problem: string }) => `This type says something impossible: ${p.problem}.` },
  'wrong-type-arguments': {
    severity: 'error',
    message: (p: { name: string }) => `\`${p.name}\` takes nothing between \`<\` and \`>\`.`,
    help: () => 'Only `map<T>` does; a list is `T[]`.',
  },
  'recursive': {
    severity: 'error',
    message: (p: { path: string }) => `This type contains itself: ${p.path}.`,
    help: () => 'Types are finite in tek; hold the nested part as `json`, or as a list of ids.',
  },
  'too-large': {
    severity: 'error',
    message: (p: { name: string; limit: number }) => `The type \`${p.name}\` has more than ${p.limit} parts once every name in it is written out.`,
    help: () => 'Hold the nested part as `json`, or as a list of ids.',
  },
})
