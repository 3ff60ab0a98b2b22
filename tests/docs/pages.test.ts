// Documentation that is executed: each page of docs/errors behaves as it says, each sample of a guide checks, each command shown exists.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { nodeHost } from '#host/node-host.ts'
import { writeLock } from '#mcp/lock-file.ts'
import type { Value } from '#model/type.ts'
import { check, plan, run } from '#tek.ts'
import { commandTable } from '../../src/cli/command-table.ts'
import { filesUnder, read } from '../tidy/source-tree.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-docs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const host = nodeHost({ cwd: folder })
/** Files a page may mention: every page is run beside them. */
writeFileSync(join(folder, 'hello.txt'), 'hello\n')
/** The server of docs/mcp.md, as it is locked there. */
const search = { name: 'search', as: 'search', doc: '', input: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] }, result: 'text', effect: 'read' } as const
writeFileSync(join(folder, 'tek.mcp.lock.json'), writeLock(new Map([['notes', { definition: '', shows: 'node notes-server.mjs', variables: [], reads: [], protocol: '2025-11-25', release: 'notes 1.0.0', tools: [search] }]])))

interface Block {
  readonly language: string
  /** Words after the language: `fragment`. */
  readonly marks: readonly string[]
  readonly text: string
  readonly line: number
}

function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  for (const match of markdown.matchAll(/^(`{3,})(\w*)([^\n]*)\n([\s\S]*?)^\1[ ]*$/gm)) {
    blocks.push({ language: match[2]!, marks: match[3]!.trim().split(/\s+/), text: match[4]!, line: markdown.slice(0, match.index).split('\n').length })
  }
  return blocks
}

/** A block with `--- name.tek` lines is several files, the first of them the entry; else one file. */
async function checkBlock(text: string): Promise<Awaited<ReturnType<typeof check>>> {
  const parts = text.split(/^--- (\S+)[ ]*\n/m)
  if (parts.length === 1) return check(host, 'page.tek', { readText: path => (path === 'page.tek' ? text : undefined) })
  const files = new Map<string, string>()
  for (let at = 1; at < parts.length; at += 2) files.set(parts[at]!, parts[at + 1]!)
  const entry = [...files.keys()][0]!
  return check(host, entry, { readText: path => files.get(path.replace(/^\.\//, '')) })
}

const say = (diagnostics: readonly Diagnostic[]): string[] => diagnostics.map(each => `${each.code}: ${each.message}`)

/** How running the only workflow of a program ends: its failure's code, the codes it was refused with, or `fine`. */
async function outcomeOf(text: string): Promise<string> {
  const checked = await checkBlock(text)
  if (checked.program === null) return `does not compile: ${say(checked.diagnostics).join('; ')}`
  const lowered = plan(checked)
  const args: Record<string, Value> = {}
  const answer = await run(host, { plan: lowered, program: 'page.tek', args, database: null, tekVersion: '0.0.0', onNotice: () => {} })
  if (answer.kind === 'refused') return answer.diagnostics.map(each => each.code).join(', ')
  const { outcome, status } = answer.value
  return outcome?.kind === 'failure' ? outcome.failure.code : outcome?.kind === 'value' ? 'fine' : status
}

const pages = filesUnder('docs/errors', path => path.endsWith('.md') && path.split('/').length > 3)

describe('each page of an error is true', () => {
  for (const path of pages) {
    const text = read(path)
    const code = path.slice('docs/errors/'.length, -'.md'.length)
    const arises = /^Arises: (\w+)$/m.exec(text)?.[1]
    if (arises === 'elsewhere') continue
    test(code, async () => {
      const [wrong, right] = ['Wrong', 'Right'].map(name => blocksOf(text.split(new RegExp(`^## ${name}$`, 'm'))[1] ?? '')[0]?.text ?? '')
      if (arises === 'run') {
        expect(await outcomeOf(wrong!)).toBe(code)
        expect(await outcomeOf(right!)).toBe('fine')
        return
      }
      const found = (await checkBlock(wrong!)).diagnostics
      const errors = found.filter(each => each.severity === 'error')
      // Exactly this code, and no other error; a warning's page shows that warning and no error.
      expect(new Set(errors.length > 0 ? errors.map(each => each.code) : found.map(each => each.code)), say(found).join('\n')).toEqual(new Set([code]))
      expect(say((await checkBlock(right!)).diagnostics)).toEqual([])
    })
  }
})

const guides = [...filesUnder('', path => path === 'README.md' || path === 'ARCHITECTURE.md'), ...filesUnder('docs', path => path.endsWith('.md') && !path.startsWith('docs/errors/'))]

describe('each sample of a guide checks', () => {
  for (const path of guides) {
    for (const block of blocksOf(read(path))) {
      if (block.language !== 'tek' || block.marks.includes('fragment')) continue
      test(`${path}:${block.line}`, async () => {
        expect(say((await checkBlock(block.text)).diagnostics.filter(each => each.severity === 'error'))).toEqual([])
      })
    }
  }
})

test('each command that a page shows exists', () => {
  const names = new Set([...commandTable.map(each => each.name), 'COMMAND', 'help'])
  const wrong: string[] = []
  for (const path of [...guides, ...pages]) {
    if (path.startsWith('docs/errors/cli/unknown-command') || path.startsWith('docs/errors/cli/not-available-yet')) continue // they show what does not exist
    for (const block of blocksOf(read(path))) {
      if (block.language !== 'sh') continue
      for (const line of block.text.split('\n')) {
        const name = /^(?:npx )?tek(?:-lang)? (\S+)/.exec(line.trim())?.[1]
        if (name !== undefined && !name.startsWith('-') && !names.has(name)) wrong.push(`${path}: tek ${name}`)
      }
    }
  }
  expect(wrong).toEqual([])
})

test('the guides name no command that does not exist, except as planned', () => {
  const cli = read('docs/cli.md')
  for (const { name } of commandTable) expect(cli).toContain(`\`tek ${name}`)
})
