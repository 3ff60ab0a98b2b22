// Vitest's settings. Clipanion's `advanced/index` import has no extension, so it must be bundled rather than left to Node.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['tek-source', 'node', 'import', 'module', 'default'] },
  ssr: { resolve: { conditions: ['tek-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/security/guards-off/guard-off.test.ts'], // started by its run.mjs, with a guard taken out
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Many tests wait for processes they started: one worker would leave a small machine idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    server: { deps: { inline: ['clipanion'] } },
  },
})
