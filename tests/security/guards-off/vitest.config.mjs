// Vitest's settings for one guard that is switched off: `TEK_GUARD_OFF` names it; empty: all are in place, and every attack that is named is carried out.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../../../vitest.config.ts'
import { guards } from './guards.mjs'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const off = guards.find(each => each.id === process.env.TEK_GUARD_OFF) ?? null

const config = mergeConfig(base, defineConfig({
  root,
  plugins: off === null ? [] : [{
    name: 'guard-off', enforce: 'pre',
    transform: (code, id) => (id.split('?')[0] === join(root, off.file) ? code.replace(off.find, () => off.put) : null),
  }],
  test: { provide: { attacks: off === null ? [...new Set(guards.flatMap(each => each.noticedBy))] : off.noticedBy } },
}))
delete config.test.projects
config.test.include = ['tests/security/guards-off/guard-off.test.ts']
export default config
