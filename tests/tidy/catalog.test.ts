// Catalog ↔ pages ↔ tests: no code without a page that shows it wrong and right, no page without a code, no code that no test shows.
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { CatalogEntry } from '#diagnostics/diagnostic.ts'
import { filesUnder, read } from './source-tree.ts'

interface Code {
  readonly code: string
  readonly file: string
  readonly entry: CatalogEntry<unknown>
}

const catalogs = filesUnder('src/diagnostics/catalog', path => path.endsWith('.ts'))

async function allCodes(): Promise<Code[]> {
  const codes: Code[] = []
  for (const file of catalogs) {
    const module = (await import(`../../${file}`)) as Record<string, unknown>
    for (const value of Object.values(module)) {
      const table = value as { family?: string; entries?: Record<string, CatalogEntry<unknown>> } | null
      if (typeof table !== 'object' || table === null || !table.family || !table.entries) continue
      for (const [slug, entry] of Object.entries(table.entries)) codes.push({ code: `${table.family}/${slug}`, file, entry })
    }
  }
  return codes
}

const pageOf = (code: string): string => `docs/errors/${code}.md`
const codes = await allCodes()

test('codes are kebab-case and stand once', () => {
  expect(codes.length).toBeGreaterThan(30)
  expect(codes.filter(each => !/^[a-z]+(-[a-z]+)*\/[a-z0-9]+(-[a-z0-9]+)*$/.test(each.code)).map(each => each.code)).toEqual([])
  const names = codes.map(each => each.code)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})

test('each code has a page, and each page a code', () => {
  expect(codes.filter(each => !existsSync(pageOf(each.code))).map(each => each.code)).toEqual([])
  const known = new Set(codes.map(each => pageOf(each.code)))
  expect(filesUnder('docs/errors', path => path.endsWith('.md') && path.split('/').length > 3).filter(path => !known.has(path))).toEqual([])
})

test('each page has the form that is executed', () => {
  const wrong: string[] = []
  for (const path of filesUnder('docs/errors', each => each.endsWith('.md') && each.split('/').length > 3)) {
    const text = read(path)
    const code = path.slice('docs/errors/'.length, -3)
    if (!text.startsWith(`# ${code}\n`)) wrong.push(`${path}: the title is not \`# ${code}\``)
    const arises = /^Arises: (.*)$/m.exec(text)?.[1]
    if (arises !== undefined && arises !== 'run' && arises !== 'elsewhere') wrong.push(`${path}: unknown \`Arises: ${arises}\``)
    const fence = arises === 'elsewhere' ? 'sh' : 'tek'
    for (const part of ['Wrong', 'Right']) {
      if (!new RegExp(`^## ${part}\\n+\`\`\`${fence}\\n`, 'm').test(text)) wrong.push(`${path}: no \`## ${part}\` with a ${fence} block`)
    }
    if (!/^## What to do\n+\S/m.test(text)) wrong.push(`${path}: no \`## What to do\``)
  }
  expect(wrong).toEqual([])
})

test('each code is shown by a test: its page is executed, or a test names it', () => {
  const texts = filesUnder('tests', path => !path.startsWith('tests/tidy/')).map(read).join('\n').replaceAll('\\/', '/')
  const unseen = codes.filter(({ code }) => {
    if (texts.includes(code)) return false
    return !existsSync(pageOf(code)) || /^Arises: elsewhere$/m.test(read(pageOf(code)))
  })
  expect(unseen.map(each => each.code)).toEqual([])
})

test('messages are one line, in sentences', () => {
  const wrong: string[] = []
  // Any parameter a message asks for is answered with a word that fits in a sentence.
  const anything: unknown = new Proxy({}, { get: (_, name) => (name === Symbol.toPrimitive || name === 'toString' ? () => 'x' : 'x') })
  for (const { code, entry } of codes) {
    let message: string
    try {
      message = entry.message(anything)
    } catch {
      continue // needs a list or a number; its page shows it
    }
    if (message.includes('\n')) wrong.push(`${code}: more than one line`)
    if (!/[.?!]$/.test(message)) wrong.push(`${code}: does not end like a sentence: ${message}`)
    if (/\b(undefined|null pointer|exception|AST|CST|token stream|stack)\b/i.test(message)) wrong.push(`${code}: jargon: ${message}`)
  }
  expect(wrong).toEqual([])
})
