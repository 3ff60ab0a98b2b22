// The picture in docs/trust.md is what `tek check` draws for the example.
import { expect, test } from 'vitest'
import { plainPaint } from '#base/terminal-text.ts'
import { renderPretty } from '#diagnostics/render/pretty.ts'
import { SourceTexts } from '#diagnostics/render/source-lines.ts'
import { nodeHost } from '#host/node-host.ts'
import { check } from '#tek.ts'
import { read } from '../tidy/source-tree.ts'

const COLUMNS = 80

test('the way of the text in examples/injection', async () => {
  const path = 'examples/injection/injection.tek'
  const text = read(path)
  const { diagnostics } = await check(nodeHost({ cwd: process.cwd() }), path, { readText: file => (file === path ? text : undefined) })
  const found = diagnostics.find(each => each.code === 'trust/untrusted-reaches-sink')
  const drawn = renderPretty(found!, new SourceTexts(new Map([[path, text]])), { paint: plainPaint, columns: COLUMNS })
  const shown = /^```text picture\n([\s\S]*?)^```$/m.exec(read('docs/trust.md'))?.[1]
  expect(shown).toBe(`${drawn}\n`)
})
