// Vitest's settings. Clipanion's `advanced/index` import has no extension, so it must be bundled rather than left to Node.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['tek-source', 'node', 'import', 'module', 'default'] },
  ssr: { resolve: { conditions: ['tek-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['tests/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    server: { deps: { inline: ['clipanion'] } },
  },
})
