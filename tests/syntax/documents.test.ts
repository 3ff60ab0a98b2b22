// Documents: each code of the family has a page, whose wrong program gives that code alone and whose right one gives nothing.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from '#compiler/1-syntax/parse.ts'
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'

const folder = new URL('../../docs/errors/syntax/', import.meta.url)
const slugs = Object.keys(syntaxErrors.entries)
const block = (page: string, title: string): string => new RegExp(`## ${title}\\n\`\`\`tek\\n([\\s\\S]*?)\`\`\``).exec(page)![1]!
const codes = (text: string): string[] => [...new Set(parse({ path: 'a.tek', text }).diagnostics.map(each => each.code))]

describe('docs/errors/syntax', () => {
  it('has a page for each code and no other', () => {
    expect(readdirSync(folder).sort()).toEqual(slugs.map(slug => `${slug}.md`).sort())
  })

  it.each(slugs.filter(slug => slug !== 'file-too-large'))('%s', slug => {
    const page = readFileSync(new URL(`${slug}.md`, folder), 'utf8')
    expect(page.startsWith(`# syntax/${slug}\n`)).toBe(true)
    expect(codes(block(page, 'Wrong'))).toEqual([`syntax/${slug}`])
    expect(codes(block(page, 'Right'))).toEqual([])
  })
})
