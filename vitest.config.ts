// Vitest's settings. Clipanion's `advanced/index` import has no extension, so it must be bundled rather than left to Node.
//   Tests that bring a machine to its knees on purpose (fork bombs, memory hogs) run one at a time, after all others: beside them, those would wait
//   longer than any patience.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const alone = ['tests/security/escape/**/*.test.ts', 'tests/host/sandbox.test.ts', 'tests/plugins/process-bounds.test.ts', 'tests/e2e/jail.test.ts', 'tests/security/plugins/**/*.test.ts']
/** Started by its run.mjs, with a guard taken out. */
const startedElsewhere = ['tests/security/guards-off/guard-off.test.ts']

export default defineConfig({
  resolve: { conditions: ['tek-source', 'node', 'import', 'module', 'default'] },
  ssr: { resolve: { conditions: ['tek-source', 'node', 'import', 'module', 'default'] } },
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    server: { deps: { inline: ['clipanion'] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'beside', include: ['tests/**/*.test.ts'], exclude: [...alone, ...startedElsewhere], sequence: { groupOrder: 0 },
          // Many tests wait for processes they started: one worker would leave a small machine idle.
          maxWorkers: Math.max(2, availableParallelism() - 1),
        },
      },
      { extends: true, test: { name: 'alone', include: alone, exclude: [], sequence: { groupOrder: 1 }, maxWorkers: 1 } },
    ],
  },
})
