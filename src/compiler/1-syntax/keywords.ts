// Keywords: every word with a meaning of its own, in one table.
// Owns: the words, whether they are reserved as names, and the kind that decides their colour in editors.
// Does not own: where each may stand (grammar/tek.ebnf and the parser).
//   K1. Only reserved words are refused as names; all others are words like any other outside their clause or declaration.
//   K2. The TextMate grammar is generated from this table (grammar/generate.mjs); a test compares.

/** What a keyword does; one TextMate scope each. */
export type KeywordKind = 'declaration' | 'clause' | 'stage' | 'control' | 'operator' | 'constant' | 'qualifier'

export interface Keyword {
  readonly kind: KeywordKind
  readonly reserved: boolean
}

const words = (kind: KeywordKind, reserved: boolean, list: string): [string, Keyword][] =>
  list.split(' ').map(word => [word, { kind, reserved }])

export const KEYWORDS: ReadonlyMap<string, Keyword> = new Map([
  ...words('declaration', true, 'use type workflow agent loop task'),
  ...words('declaration', false, 'edition can limits accept const secret capability model prompt test let'),
  ...words('clause', false, 'risk plugin mcp as leads role tools refuse ask memory none thread keep summarise evolves over'),
  ...words('clause', false, 'by after when on failure file webhook signed every cron missed skip stop continue'),
  ...words('clause', false, 'retry backoff timeout cache verify agree key judge evidence abc priority needs parallel approve within escalate wait until label ensure'),
  ...words('clause', false, 'gate promote rollback do given replies replays returns fails expect'),
  ...words('stage', false, 'sense decide replicate differentiate quiesce run observe score vary'),
  ...words('control', true, 'if then else match'),
  ...words('control', false, 'for return'),
  ...words('operator', true, 'and or not in'),
  ...words('constant', true, 'true false null'),
  ...words('qualifier', false, 'untrusted'),
])

/** The words that may begin a declaration. */
export const HEADS: readonly string[] = [
  'edition', 'use', 'can', 'limits', 'accept', 'type', 'const', 'secret', 'capability', 'model', 'prompt', 'workflow', 'agent', 'loop', 'test',
]

/** The words that may begin a clause of a task or stage. */
export const CLAUSES: readonly string[] = [
  'for', 'by', 'after', 'when', 'retry', 'timeout', 'cache', 'verify', 'evidence', 'priority', 'needs', 'parallel', 'on', 'approve', 'wait', 'label', 'ensure',
]

export const STAGES = ['sense', 'decide', 'replicate', 'differentiate', 'quiesce', 'run', 'observe', 'score', 'vary'] as const
