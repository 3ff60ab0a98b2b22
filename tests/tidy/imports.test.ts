// The import table of ARCHITECTURE.md: what each folder may import. Type-only imports count.
import { expect, test } from 'vitest'
import { filesUnder, importsOf, isCode, withLines } from './source-tree.ts'

const plain = ['types', 'model', 'base']

interface Room {
  /** Longest matching prefix of a path below `src/` wins. */
  readonly room: string
  /** Folders or files below `src/`; a file in the room itself is always allowed unless `closed`. */
  readonly may: readonly string[]
  /** Built-ins and packages may be imported. */
  readonly node?: boolean
}

const renderers = 'diagnostics/render'
const everything = ['']

const table: readonly Room[] = [
  { room: 'base', may: [], node: true },
  { room: 'model', may: ['base'] },
  { room: 'types', may: ['model', 'base'] },
  { room: 'grants', may: plain },
  { room: 'schedule', may: ['base'] },
  { room: 'graph', may: ['model', 'base'] },
  { room: 'report', may: ['graph', 'model', 'base'] },
  { room: 'diagnostics', may: ['model', 'base'] },
  { room: 'host', may: plain, node: true },
  { room: 'plugin-api', may: plain },
  { room: 'telemetry', may: plain, node: true },
  ...[1, 2, 3, 4].map(phase => ({
    room: `compiler/${['1-syntax', '2-resolve', '3-check', '4-lower'][phase - 1]}`,
    may: [...['1-syntax', '2-resolve', '3-check', '4-lower'].slice(0, phase - 1).map(name => `compiler/${name}`), 'diagnostics', 'host/host.ts', 'grants', 'schedule', ...plain],
  })),
  { room: 'compiler', may: ['diagnostics', 'host/host.ts', 'grants', ...plain] },
  { room: 'interpreter/engine', may: plain },
  {
    room: 'interpreter',
    may: ['plugin-api/context.ts', 'plugin-api/tool-runner.ts', 'plugin-api/model-provider.ts', 'diagnostics', 'host/host.ts', 'grants', ...plain],
    node: true,
  },
  // The entry of a worker thread joins what the interpreter is given by tek.ts in the main thread: it calls trusted tools itself.
  { room: 'interpreter/pool/worker.ts', may: ['interpreter', 'plugin-api', 'grants', ...plain], node: true },
  { room: 'permits', may: ['diagnostics', 'host/host.ts', 'grants', ...plain] },
  { room: 'plugins', may: ['plugin-api', 'diagnostics', 'host/host.ts', 'grants', ...plain], node: true },
  // Servers of tools: what the interpreter asks of them (an interface) and what a person asks; the protocol's own library stays behind two files.
  { room: 'mcp', may: ['interpreter/guard/server-access.ts', 'plugin-api/context.ts', 'plugin-api/tool-runner.ts', 'diagnostics', 'host/host.ts', 'grants', ...plain], node: true },
  { room: 'history', may: ['interpreter', 'diagnostics', 'host/host.ts', ...plain], node: true },
  { room: 'tek.ts', may: ['history', 'compiler', 'interpreter', 'mcp', 'plugins', 'plugin-api', 'telemetry', 'host', 'diagnostics', 'grants', ...plain], node: true },
  { room: 'serve', may: ['tek.ts', 'history', 'interpreter', 'schedule', 'diagnostics', 'host/host.ts', 'grants', ...plain], node: true },
  { room: 'loops', may: ['tek.ts', 'history', 'interpreter', 'schedule', 'diagnostics', 'host/host.ts', 'grants', ...plain], node: true },
  { room: 'editor', may: ['compiler', 'diagnostics', 'grants', ...plain] },
  { room: 'testing', may: ['tek.ts', 'compiler', 'plugin-api', 'interpreter/engine', 'interpreter/guard/context.ts', 'interpreter/implied.ts', 'interpreter/effects/own-needs.ts', 'host', 'diagnostics', renderers, 'grants', ...plain], node: true },
  // What authors of plugins are helped with: a package is made, checked, tested and packed.
  { room: 'authoring', may: ['tek.ts', 'plugins', 'plugin-api', 'testing', 'interpreter/implied.ts', 'diagnostics', 'host/host.ts', 'grants', ...plain], node: true },
  { room: 'web', may: ['tek.ts', 'compiler', 'plugin-api', 'host', 'graph', 'telemetry', 'diagnostics', renderers, 'grants', ...plain], node: true },
  { room: 'cli', may: everything, node: true },
]

const within = (path: string, folder: string): boolean => folder === '' || path === folder || path.startsWith(`${folder}/`)

function roomOf(path: string): Room | undefined {
  return table.filter(each => within(path, each.room)).sort((a, b) => b.room.length - a.room.length)[0]
}

/** Why `from` may not import `to` (both below `src/`), or null. */
export function whyNot(from: string, to: string): string | null {
  const room = roomOf(from)
  if (!room) return `${from} is in no room of the import table`
  const target = roomOf(to)
  if (target === room || (target && within(target.room, room.room) && within(to, room.room))) return null
  if (within(to, renderers) && !room.may.includes(renderers) && room.room !== 'cli') return `${room.room} may not draw diagnostics`
  return room.may.some(folder => within(to, folder)) ? null : `${room.room} may not import ${target?.room ?? to}`
}

const sources = filesUnder('src', isCode)

test('every import points where the table allows', () => {
  const wrong: string[] = []
  for (const path of sources) {
    for (const each of importsOf(path)) {
      if (each.target === null) continue
      const reason = each.target.startsWith('src/') ? whyNot(path.slice(4), each.target.slice(4)) : `${each.target} is outside src`
      if (reason) wrong.push(`${path}:${each.line} imports ${each.specifier}: ${reason}`)
      if (!each.specifier.endsWith('.ts') && !each.specifier.endsWith('.json')) wrong.push(`${path}:${each.line} imports ${each.specifier} without .ts`)
    }
  }
  expect(wrong).toEqual([])
})

test('a folder that is pure imports no built-in', () => {
  const wrong: string[] = []
  for (const path of sources) {
    if (roomOf(path.slice(4))?.node) continue
    for (const each of importsOf(path)) if (each.specifier.startsWith('node:')) wrong.push(`${path}:${each.line} imports ${each.specifier}`)
  }
  expect(wrong).toEqual([])
})

/** Packages with one door. */
const doors: readonly { readonly npm: string; readonly only: string }[] = [
  { npm: 'piscina', only: 'src/interpreter/pool/' },
  { npm: 'better-sqlite3', only: 'src/interpreter/journal/sqlite' },
  { npm: 'esbuild', only: 'src/plugins/bundle' },
  { npm: 'clipanion', only: 'src/cli/' },
  { npm: 'chevrotain', only: 'src/compiler/1-syntax/' },
  { npm: '@dagrejs/dagre', only: 'src/graph/' },
  { npm: 're2js', only: 'src/base/' },
  { npm: '@jitl', only: 'src/plugins/engine/' },
  { npm: 'yaml', only: 'src/permits/' },
  { npm: 'croner', only: 'src/schedule/' },
  { npm: '@modelcontextprotocol', only: 'src/mcp/' },
]

test('a package with one door is imported behind it only', () => {
  const wrong: string[] = []
  for (const path of sources) {
    for (const each of importsOf(path)) {
      const door = doors.find(({ npm }) => each.specifier === npm || each.specifier.startsWith(`${npm}/`))
      if (door && !path.startsWith(door.only)) wrong.push(`${path}:${each.line} imports ${each.specifier}; only ${door.only}* may`)
    }
  }
  expect(wrong).toEqual([])
})

test('the engine is pure: no clock, no random, no promise, no timer', () => {
  const wrong: string[] = []
  const impure = /\b(Date\.now|new Date\(|Math\.random|performance\.|setTimeout|setInterval|setImmediate|queueMicrotask|process\.|async |await |new Promise|Promise\.)/
  for (const path of sources.filter(each => each.startsWith('src/interpreter/engine/'))) {
    withLines(path, (line, number) => {
      const found = impure.exec(line)
      if (found) wrong.push(`${path}:${number} uses ${found[1]!.trim()}`)
    })
  }
  expect(wrong).toEqual([])
})

test('the standard library proves the contract: it imports its own folder, stdlib/shared, the published plugin entry, packages and built-ins', () => {
  const wrong: string[] = []
  for (const path of filesUnder('stdlib', isCode)) {
    const [, folder, ...rest] = path.split('/')
    if (rest.length === 0) continue // a script beside the modules, not a module
    for (const each of importsOf(path)) {
      if (each.specifier.startsWith('#')) wrong.push(`${path}:${each.line} imports ${each.specifier}`)
      else if (each.target !== null && !each.target.startsWith(`stdlib/${folder}/`) && !each.target.startsWith('stdlib/shared/')) wrong.push(`${path}:${each.line} leaves its folder: ${each.specifier}`)
      else if (each.specifier.startsWith('tek-lang') && each.specifier !== 'tek-lang/plugin') wrong.push(`${path}:${each.line} imports ${each.specifier}`)
    }
  }
  expect(wrong).toEqual([])
})

test('no two files import each other, directly or through others', () => {
  const edges = new Map(sources.map(path => [path, importsOf(path).flatMap(each => (each.target && each.target !== path ? [each.target] : []))]))
  expect(knots(edges)).toEqual([])
})

test('the rules bite', () => {
  expect(whyNot('base/json.ts', 'model/plan.ts')).toBe('base may not import model')
  expect(whyNot('compiler/2-resolve/scope.ts', 'compiler/3-check/infer.ts')).toBe('compiler/2-resolve may not import compiler/3-check')
  expect(whyNot('compiler/compile.ts', 'compiler/3-check/infer.ts')).toBeNull()
  expect(whyNot('compiler/compile.ts', 'interpreter/run.ts')).toBe('compiler may not import interpreter')
  expect(whyNot('interpreter/engine/state.ts', 'interpreter/journal/memory.ts')).toBe('interpreter/engine may not import interpreter')
  expect(whyNot('interpreter/run.ts', 'interpreter/engine/state.ts')).toBeNull()
  expect(whyNot('interpreter/run.ts', 'plugin-api/define-plugin.ts')).toBe('interpreter may not import plugin-api')
  expect(whyNot('interpreter/run.ts', 'diagnostics/render/pretty.ts')).toBe('interpreter may not draw diagnostics')
  expect(whyNot('plugins/load.ts', 'host/node-host.ts')).toBe('plugins may not import host')
  expect(whyNot('tek.ts', 'cli/main.ts')).toBe('tek.ts may not import cli')
  expect(whyNot('drawer/utils.ts', 'base/json.ts')).toBe('drawer/utils.ts is in no room of the import table')
  expect(importsOf('src/a/b.ts', "import type { X } from '../c/d.ts'\nexport * from '#base/json.ts'\n// import x from './no.ts'\nconst y = await import('./e.ts')\n").map(each => each.target))
    .toEqual(['src/c/d.ts', 'src/base/json.ts', 'src/a/e.ts'])
  expect(knots(new Map([['a', ['b']], ['b', ['c']], ['c', ['a']], ['d', ['a']]]))).toEqual([['a', 'b', 'c']])
})

/** Groups of more than one file that can all reach each other (Tarjan's strongly connected components). */
function knots(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (node: string): void => {
    index.set(node, index.size)
    low.set(node, index.get(node)!)
    stack.push(node)
    for (const next of edges.get(node) ?? []) {
      if (!index.has(next)) visit(next)
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!))
    }
    if (low.get(node) !== index.get(node)) return
    const group = stack.splice(stack.indexOf(node))
    if (group.length > 1) found.push(group.sort())
  }
  for (const node of edges.keys()) if (!index.has(node)) visit(node)
  return found
}
