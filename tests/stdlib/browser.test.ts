// Browser: a report with hostile text in every place, opened in a real browser.
// Owns: proof that none of its text is run or loaded. Does not own: what escaping gives (pure.test.ts).
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Value } from '#model/type.ts'
import { invokePure } from '#plugin-api/invoke.ts'
import chart from '../../stdlib/chart/plugin.ts'
import html from '../../stdlib/html/plugin.ts'

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(path => existsSync(path))
const PATIENCE_MS = 60_000

/** Each would change the title of the page if it were run. */
const attacks = [
  '</script><script>document.title="run"</script>',
  '<img src=x onerror="document.title=\'run\'">',
  '"><svg onload="document.title=\'run\'">',
  "' onmouseover='document.title=1' x='",
  '</style><script>document.title="run"</script>',
  '</title><script>document.title="run"</script>',
  '<!--<script>document.title="run"//-->',
  '<iframe srcdoc="<script>parent.document.title=1</script>">',
  '&lt;script&gt;document.title="run"&lt;/script&gt;',
  '<meta http-equiv=refresh content="0;url=javascript:document.title=1">',
  'javascript:document.title="run"',
  '\u202egnp.exe\u2066<script>document.title="run"</script>\u2069',
  '${document.title="run"}',
  '\0<script>document.title="run"</script>',
]

let folder: string
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'tek-browser-')) })
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

/** The page as the browser holds it after its scripts have run. */
function opened(page: string): string {
  const file = join(folder, 'page.html')
  writeFileSync(file, page)
  const args = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${join(folder, 'profile')}`, '--dump-dom', '--virtual-time-budget=2000', `file://${file}`]
  const { stdout, stderr, status } = spawnSync(browser!, args, { encoding: 'utf8', timeout: PATIENCE_MS })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

const text = (html: string): string => html.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')

describe.skipIf(browser === undefined)('in a browser (needs chromium)', () => {
  test('the harness sees a script that does run', () => {
    expect(opened('<!doctype html><title>quiet</title><script>document.title = "run"</script>')).toContain('<title>run</title>')
  }, PATIENCE_MS)

  test('hostile text is shown, and runs nothing', () => {
    const all = attacks.join('\n\n')
    const drawing = invokePure(chart, 'bar')({ data: attacks.map((label, index) => ({ label, value: index + 1 })) })
    const report = {
      title: attacks[0]!, verdict: all, actions: attacks.map(attack => ({ title: attack, why: attack, command: attack })),
      sections: [{ title: all, text: all, rows: attacks.map(attack => ({ [attack]: attack, count: 1 })), chart: drawing, code: all, folded: false }],
      timeline: attacks.map(attack => ({ time: attack, event: attack })), proof: attacks.map(attack => ({ label: attack, value: attack })),
    } as unknown as Value
    const dom = opened(invokePure(html, 'report')({ report, lang: '"><script>document.title="run"</script>' }) as string)
    expect(text(/<title>([\s\S]*?)<\/title>/.exec(dom)![1]!)).toBe(attacks[0])
    // The one script is the page's own, and it ran: the headings of tables became buttons.
    expect(dom.match(/<script/g)).toHaveLength(1)
    expect(dom).toContain('<button type="button">')
    expect(dom).not.toMatch(/<(?:img|iframe|object|embed|link|base|form)\b/i)
    expect(dom).not.toMatch(/<[^>"']*(?:"[^"]*"[^>"']*)*\son[a-z]+\s*=/i)
    expect(text(dom)).toContain(attacks[1])
  }, PATIENCE_MS)
})

test('times on an axis end inside the drawing, and tell moments apart', () => {
  const points = [0, 1, 2].map(x => ({ x, y: x }))
  const drawing = invokePure(chart, 'line')({ series: [{ name: 'a', points }], axis: 'time' }) as string
  const times = [...drawing.matchAll(/<text x="([\d.]+)"[^>]*text-anchor="(\w+)"[^>]*>(\d\d:\d\d\.\d{3})</g)]
  expect(times.map(([, , , shown]) => shown)).toContain('00:00.002')
  expect(times.at(-1)!.slice(1, 3)).toEqual(['640', 'end'])
})
