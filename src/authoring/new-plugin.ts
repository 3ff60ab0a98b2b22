// New plugin: the files that `tek plugin new` begins a package with.
// Owns: their texts, and the names made of the one that was given. Does not own: writing them.
//   N1. What is written passes `tek plugin check` without a warning, `tek plugin test`, and `tsc`, whatever was asked to be in it.
//   N2. No licence is chosen for anybody.
import { pluginApiVersion } from '#plugin-api/define-plugin.ts'
import { modelFile, modelTest } from './new-plugin-model.ts'

/** What may be in it beside one tool. */
export const pluginParts = ['grant', 'model', 'types'] as const
export type PluginPart = (typeof pluginParts)[number]

export interface NewPlugin {
  /** Of the package: `tek-words`, `@me/words`. */
  readonly packageName: string
  readonly parts: ReadonlySet<PluginPart>
  readonly needsNode: boolean
  readonly tekVersion: string
}

const MAX_NAME_LENGTH = 64

/** The name of the folder, and that of the plugin in programs; null where none can be made of it. */
export function namesOf(packageName: string): { readonly folder: string; readonly plugin: string } | null {
  if (!/^(?:@[a-z0-9][a-z0-9-._]*\/)?[a-z][a-z0-9-]*$/.test(packageName)) return null
  const folder = packageName.slice(packageName.indexOf('/') + 1)
  const words = folder.replace(/^tek-(?:plugin-)?/, '').split('-').filter(each => each !== '')
  const plugin = words.map((word, at) => (at === 0 ? word : word[0]!.toUpperCase() + word.slice(1))).join('')
  return /^[a-z]/.test(plugin) && plugin.length <= MAX_NAME_LENGTH ? { folder, plugin } : null
}

/** Names of the example's own: a plugin of such a name has another one there. */
const exampleNames: ReadonlySet<string> = new Set(['text', 'file', 'every', 'longer', 'inFile', 'main', 'counted'])
const aliasOf = (plugin: string): string => (exampleNames.has(plugin) ? `${plugin}Plugin` : plugin)

/** Path in the package → text. */
export function newPluginFiles(asked: NewPlugin): ReadonlyMap<string, string> {
  const { plugin } = namesOf(asked.packageName)!
  const has = (part: PluginPart): boolean => asked.parts.has(part)
  return new Map<string, string>([
    ['package.json', packageJson(asked, plugin)],
    ['tsconfig.json', tsconfig],
    ['.gitignore', 'node_modules/\n.tek/\n*.tgz\n'],
    ['README.md', readme(asked, plugin)],
    ['src/plugin.ts', pluginFile(asked, plugin)],
    ...(has('model') ? [['src/model.ts', modelFile] as const] : []),
    ['test/plugin.test.ts', testFile(asked)],
    ...(has('model') ? [['test/model.test.ts', modelTest] as const] : []),
    [`examples/${plugin}.tek`, exampleFile(asked, plugin)],
    ...(has('grant') ? [['examples/notes.txt', 'one two three\nfour\n'] as const] : []),
  ])
}

function packageJson({ packageName, tekVersion }: NewPlugin, plugin: string): string {
  return `${JSON.stringify({
    name: packageName, version: '0.1.0', description: `A plugin for tek: ${plugin}.`, keywords: ['tek', 'tek-plugin'], type: 'module', tek: './src/plugin.ts', files: ['src', 'examples'],
    scripts: { check: 'tek plugin check', test: 'tek plugin test', typecheck: 'tsc' },
    peerDependencies: { 'tek-lang': `>=${tekVersion}` }, devDependencies: { '@types/node': '>=20', 'tek-lang': `>=${tekVersion}`, typescript: '>=5.8' },
  }, null, 2)}\n`
}

const tsconfig = `{
  "compilerOptions": {
    "target": "es2023",
    "module": "nodenext",
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "erasableSyntaxOnly": true,
    "allowImportingTsExtensions": true,
    "noEmit": true,
    "skipLibCheck": true,
    "types": ["node"]
  },
  "include": ["src", "test"]
}
`

function pluginFile({ parts, needsNode }: NewPlugin, plugin: string): string {
  const [grant, model, types] = [parts.has('grant'), parts.has('model'), parts.has('types')]
  const imports = ['definePlugin', 'pure', ...(grant ? ['reads', 't', 'ToolFailure'] : []), 'z']
  return `// The plugin \`${plugin}\`: what it offers to programs. Docs are shown to people in editors and to models that choose among tools.
${needsNode ? "import { createHash } from 'node:crypto'\n" : ''}import { ${imports.join(', ')} } from 'tek-lang/plugin'
${model ? "import { talk } from './model.ts'\n" : ''}
${types ? `/** Programs name it as \`${plugin}.Count\`. */
const Count = z.object({ words: z.int().min(0), lines: z.int().min(0) })

` : ''}/** The words of a text: whatever white space parts. */
const wordsOf = (text: string): string[] => text.split(/\\s+/).filter(word => word !== '')\n\nexport default definePlugin({
  name: '${plugin}',
  version: '0.1.0',
  api: '${pluginApiVersion}',
  doc: 'Counting words.',
${needsNode ? "  needsNode: 'makes digests with node:crypto',\n" : ''}${types ? '  types: { Count },\n' : ''}${grant ? `  grants: {
    read: { doc: 'Read the texts that are counted.', params: { file: 'path' }, access: 'read', implies: [['fs.read', '$1']] },
  },
` : ''}${model ? '  models: { talk },\n' : ''}  tools: {
    count: pure({
      doc: 'How many words a text has.',
      input: {
        text: z.string().describe('Any text.'),
        shortest: z.int().min(1).default(1).describe('Letters that a word needs to be counted.'),
      },
      output: z.int().min(0),
      example: '${plugin}.count("one two three", shortest: 4) == 1',
      run: ({ text, shortest }) => wordsOf(text).filter(word => [...word].length >= shortest).length,
    }),
${types ? `    measure: pure({
      doc: 'How many words and lines a text has.',
      input: { text: z.string().describe('Any text.') },
      output: Count,
      run: ({ text }) => ({ words: wordsOf(text).length, lines: text === '' ? 0 : text.split('\\n').length }),
    }),
` : ''}${needsNode ? `    digest: pure({
      doc: 'The SHA-256 of a text, in hexadecimal.',
      input: { text: z.string().describe('Any text.') },
      output: z.string(),
      run: ({ text }) => createHash('sha256').update(text).digest('hex'),
    }),
` : ''}${grant ? `    countIn: reads({
      doc: 'How many words a file has.',
      input: { file: t.path.describe('A text file.') },
      output: z.int().min(0),
      needs: { '${plugin}.read': ['$file'] },
      run: async ({ file }, context) => {
        const text = await context.files.readText(file)
        if (text.includes('\\u0000')) throw new ToolFailure('no-text', \`\${file} is no text.\`, { help: 'Name a text file.' })
        return wordsOf(text).length
      },
    }),
` : ''}  },
})
`
}

function testFile({ parts, needsNode }: NewPlugin): string {
  const grant = parts.has('grant')
  return `// Tests of the plugin, on a host in memory: \`tek plugin test\`, or any runner that knows node:test.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTool, ${grant ? 'memoryHost, ' : ''}signatureOf } from 'tek-lang/testing'
import plugin from ${"'../src/plugin.ts'"}

test('its definition is one that programs can use', () => {
  assert.deepEqual(signatureOf(plugin, { origin: 'plugin', hash: '' }).problems, [])
})

test('count counts words, and takes no number below 1', async () => {
  assert.deepEqual(await callTool(plugin, 'count', { text: 'the quick brown fox', shortest: 4 }), { kind: 'value', value: 2 })
  const refused = await callTool(plugin, 'count', { text: 'x', shortest: 0 })
  assert.equal(refused.kind === 'failure' ? refused.failure.code : refused.value, 'plugin/bad-input')
})
${parts.has('types') ? `
test('measure counts words and lines', async () => {
  assert.deepEqual(await callTool(plugin, 'measure', { text: 'a b\\nc' }), { kind: 'value', value: { words: 3, lines: 2 } })
})
` : ''}${needsNode ? `
test('digest is that of the text', async () => {
  const digest = await callTool(plugin, 'digest', { text: '' })
  assert.match(digest.kind === 'value' ? String(digest.value) : digest.failure.message, /^e3b0c442/)
})
` : ''}${grant ? `
test('countIn reads the file it is given, and says what it cannot read', async () => {
  const host = memoryHost({ files: { 'a.txt': 'one two\\nthree', 'b.bin': 'a\\u0000b' } })
  assert.deepEqual(await callTool(plugin, 'countIn', { file: 'a.txt' }, { host }), { kind: 'value', value: 3 })
  const refused = await callTool(plugin, 'countIn', { file: 'b.bin' }, { host })
  assert.match(refused.kind === 'failure' ? refused.failure.code : '', /no-text$/)
})
` : ''}`
}

function exampleFile({ parts, needsNode }: NewPlugin, plugin: string): string {
  const alias = aliasOf(plugin)
  const grant = parts.has('grant')
  // What comes out of a process of Node, or from the world, is untrusted.
  const result = `{ words: ${needsNode ? 'untrusted ' : ''}int, long: ${needsNode ? 'untrusted ' : ''}int${grant ? ', inFile: untrusted int' : ''} }`
  return `// What the plugin is like in a program: \`tek run examples/${plugin}.tek\`.
use plugin "../" as ${alias}

/// The words of a text${grant ? ' and of a file' : ''}.
workflow main(text: string = "the quick brown fox"${grant ? ', file: path = "examples/notes.txt"' : ''}) -> ${result} {
${grant ? `  can ${alias}.read("\${file}")

` : ''}  task every = ${alias}.count(text)
  task longer = ${alias}.count(text, shortest: 4)
${grant ? `  task inFile = ${alias}.countIn(file)\n` : ''}
  return { words: every, long: longer${grant ? ', inFile: inFile' : ''} }
}

test "words of three letters are not long" {
  let counted = main(text: "one two three")
  expect counted.words == 3
  expect counted.long == 1
}
`
}

function readme({ packageName, parts, needsNode }: NewPlugin, plugin: string): string {
  const alias = aliasOf(plugin)
  return `# ${packageName}

A plugin for [tek](https://www.npmjs.com/package/tek-lang): counting words.

\`\`\`tek
use plugin "${packageName}" as ${alias}

workflow main(text: string) -> ${needsNode ? 'untrusted ' : ''}int {
  task every = ${alias}.count(text)
  return every
}
\`\`\`

| | |
| --- | --- |
| tools | \`count\`${parts.has('types') ? ', `measure`' : ''}${needsNode ? ', `digest`' : ''}${parts.has('grant') ? ', `countIn`' : ''} |
${parts.has('grant') ? `| grants | \`${plugin}.read(file)\` |\n` : ''}${parts.has('model') ? `| models | \`${plugin}.talk\` |\n` : ''}| runs in | ${needsNode ? 'a confined process of Node' : 'an engine: no files, network or processes'} |

## Working on it

\`\`\`sh
npm install
tek plugin check
tek plugin test
tek plugin pack
\`\`\`

Before it is published it needs a licence: a LICENSE file, and its name as \`license\` in package.json.
`
}
