// docs/upgrade-dependencies.md is true: its commands do what it shows, on a project whose packages are in a registry on loopback.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { machineLevel } from '#host/run-command.ts'
import { of, PACKAGES, upgradeProject, type UpgradeProject } from '../e2e/upgrade-project.ts'
import { read } from '../tidy/source-tree.ts'
import { blocksOf, walkPage } from './walk-page.ts'

const { level } = await machineLevel()
const esm = { manifest: { type: 'module' }, files: { 'index.js': 'await 0\nexport const version = "2.0.0"\n' } }
const packages = [
  ...PACKAGES.filter(each => each.name === 'runner' && each.version === '1.0.0'),
  of('colours', '1.0.0'), of('colours', '1.1.0'), of('colours', '2.0.0', { published: Date.now() - 2 * 86_400_000 }),
  of('fetcher', '1.0.0'), of('fetcher', '2.0.0', esm),
]

let at: UpgradeProject
beforeAll(async () => { at = await upgradeProject(['colours', 'fetcher'], { packages }) }, 120_000)
afterAll(() => at.close())

test.skipIf(level < 2)('its commands', async () => {
  // The reader's registry is the public one.
  const blocks = blocksOf(read('docs/upgrade-dependencies.md')).map(each => ({ ...each, text: each.text.replaceAll('tek run upgrade-dependencies', `tek run upgrade-dependencies --registry ${at.registry.url}`) }))
  expect(await walkPage('upgrades', blocks, at.path)).toBe(2)
}, 300_000)
