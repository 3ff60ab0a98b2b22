// Generate: writes tek.tmLanguage.json from the table of keywords (src/compiler/1-syntax/keywords.ts).
// `node grammar/generate.mjs` writes the file; the test that compares imports `textMateGrammar`.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const SCOPES = {
  declaration: 'keyword.declaration.tek',
  clause: 'keyword.other.clause.tek',
  stage: 'keyword.other.stage.tek',
  control: 'keyword.control.tek',
  operator: 'keyword.operator.word.tek',
  constant: 'constant.language.tek',
  qualifier: 'storage.modifier.tek',
}

/** Words that are field or argument names are none of ours: after a dot, or before a colon. */
const wordPattern = words => `(?<![.\\w])(?:${[...words].sort().join('|')})\\b(?!\\s*:)`

/** The TextMate grammar for a table `word → { kind }`. */
export function textMateGrammar(keywords) {
  const byKind = Object.entries(SCOPES).map(([kind, name]) => ({
    name,
    match: wordPattern([...keywords].filter(([, keyword]) => keyword.kind === kind).map(([word]) => word)),
  }))
  const strings = ['"""', '"'].map(quotes => ({
    name: quotes === '"' ? 'string.quoted.double.tek' : 'string.quoted.triple.tek',
    begin: quotes,
    end: quotes === '"' ? '"|$' : quotes,
    patterns: [
      { name: 'constant.character.escape.tek', match: '\\\\(?:[ntr"\\\\$]|u\\{[0-9A-Fa-f]{1,6}\\})' },
      { name: 'meta.interpolation.tek', begin: '\\$\\{', end: '\\}', patterns: [{ include: '#braces' }, { include: '$self' }] },
    ],
  }))
  return {
    $schema: 'https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json',
    name: 'tek',
    scopeName: 'source.tek',
    fileTypes: ['tek'],
    patterns: [
      { name: 'comment.line.documentation.tek', match: '^\\s*///(?!/).*$' },
      { name: 'comment.line.double-slash.tek', match: '//.*$' },
      { name: 'comment.block.tek', begin: '/\\*', end: '\\*/' },
      { name: 'string.quoted.raw.tek', match: '\\br"[^"\\n]*"' },
      ...strings,
      { name: 'constant.numeric.tek', match: '(?:\\$|\\b)\\d[\\d_]*(?:\\.\\d[\\d_]*)?(?:ms|[smhd]|[KMGT]?B|k|M|%)?(?![A-Za-z_])' },
      {
        match: '^(workflow|agent|loop|prompt|type|const|secret|capability|model)\\s+([A-Za-z_]\\w*)',
        captures: { 1: { name: SCOPES.declaration }, 2: { name: 'entity.name.tek' } },
      },
      ...byKind,
      { name: 'entity.name.type.tek', match: '(?<![.\\w])(?:[A-Z]\\w*|(?:string|int|float|bool|json|path|url|bytes|duration|size|tokens|money|any|map)(?=[\\s\\[\\]<>?|,)}]))' },
      { name: 'entity.name.function.tek', match: '\\b[a-z_]\\w*(?=\\()' },
      { name: 'keyword.operator.tek', match: '->|=>|\\|>|\\?\\?|\\?\\.|\\.\\.\\.?|[=!<>]=|[-=<>+*/|?]' },
    ],
    repository: { braces: { begin: '\\{', end: '\\}', patterns: [{ include: '#braces' }, { include: '$self' }] } },
  }
}

export const grammarText = keywords => `${JSON.stringify(textMateGrammar(keywords), null, 2)}\n`

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { buildSync } = await import('esbuild')
  const source = fileURLToPath(new URL('../src/compiler/1-syntax/keywords.ts', import.meta.url))
  const [{ text }] = buildSync({ entryPoints: [source], format: 'esm', write: false, bundle: true }).outputFiles
  const { KEYWORDS } = await import(`data:text/javascript,${encodeURIComponent(text)}`)
  writeFileSync(new URL('tek.tmLanguage.json', import.meta.url), grammarText(KEYWORDS))
}
