// The page of a run in a real browser: it opens from disk, complains of nothing, reads in light and dark, prints, and leads to the evidence beside it.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { project, tek } from '../e2e/binary.ts'
import { chromiumPath, openPage, type Page } from './browser.ts'

const chromium = chromiumPath()
const program = `workflow main() -> int {
  task first approve "May it begin, \\u{2066}really\\u{2069}?" = 1
  task rest after first wait 30ms = 2
  task tries retry 2 backoff 20ms on failure use 0 = fail("<img src=x onerror=alert(1)>")
  task many for n in range(0, 200) = n
  return first + rest + tries + len(many)
}
`

describe.skipIf(chromium === null)('the page of a run, in Chromium', () => {
  const here = project({ 'main.tek': program })
  let page: Page
  beforeAll(async () => {
    const { code, err } = await tek(['run', 'main.tek', '--yes', '--quiet', '--evidence', 'ev'], { cwd: here.path })
    expect(code, err).toBe(0)
    page = await openPage(chromium!, pathToFileURL(join(here.path, 'ev/report.html')).href)
  }, 120_000)
  afterAll(async () => {
    await page?.close()
    here.remove()
  })

  test('it opens from disk, fetches nothing and complains of nothing', { timeout: 60_000 }, async () => {
    expect(await page.value('document.querySelector(".verdict").textContent')).toContain('main is done')
    expect(await page.value('document.images.length + document.scripts.length')).toBe(0)
    expect(await page.value('performance.getEntriesByType("resource").length')).toBe(0)
    expect(page.complaints).toEqual([])
  })

  test('failures stand first, then who said what; waiting looks other than work', { timeout: 60_000 }, async () => {
    const heads = await page.value('[...document.querySelectorAll("h2")].map(each => each.textContent)')
    expect(heads.slice(0, 2)).toEqual(['What failed', 'Answers'])
    expect(await page.value('document.querySelector("table.people").textContent')).toMatch(/first.*approved.*--yes/)
    expect(await page.value('document.querySelectorAll(".timeline rect.wait").length')).toBeGreaterThanOrEqual(4)
    const fillOf = (name: string): Promise<string> => page.value(`getComputedStyle(document.querySelector(".timeline rect.${name}")).fill`)
    expect(await fillOf('wait')).toBe('none')
    expect(await fillOf('done')).not.toBe('none')
    expect(await page.value('document.querySelectorAll(".timeline rect.failed").length')).toBe(3)
  })

  test('it leads to the file of each task', { timeout: 60_000 }, async () => {
    const links: string[] = await page.value('[...document.querySelectorAll("a")].map(each => each.getAttribute("href"))')
    expect(links).toContain('tasks/tries.json')
    const target = await openPage(chromium!, await page.value('document.querySelector(\'a[href="tasks/tries.json"]\').href'))
    expect(await target.value('JSON.parse(document.body.textContent).path')).toBe('tries')
    await target.close()
  })

  test('light and dark: text stands out from the page in both', { timeout: 60_000 }, async () => {
    const seen: string[] = []
    for (const scheme of ['light', 'dark']) {
      await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
      const [paper, ink] = await page.value('[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color].map(each => each.match(/\\d+/g).slice(0, 3).map(Number))')
      expect(contrast(paper, ink), scheme).toBeGreaterThan(7)
      seen.push(String(paper))
    }
    expect(seen[0]).not.toBe(seen[1])
  })

  test('it prints, and fits a narrow screen without moving sideways', { timeout: 60_000 }, async () => {
    const { data } = await page.send('Page.printToPDF', { printBackground: true })
    expect(Buffer.from(data, 'base64').subarray(0, 5).toString()).toBe('%PDF-')
    await page.send('Emulation.setDeviceMetricsOverride', { width: 380, height: 700, deviceScaleFactor: 1, mobile: true })
    expect(await page.value('document.documentElement.scrollWidth')).toBeLessThanOrEqual(380)
  })
})

/** WCAG 2.2, contrast ratio. */
function contrast(a: readonly number[], b: readonly number[]): number {
  const luminance = (colour: readonly number[]): number => {
    const [red, green, blue] = colour.map(each => (each / 255 <= 0.04045 ? each / 255 / 12.92 : ((each / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
  }
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light! + 0.05) / (dark! + 0.05)
}
