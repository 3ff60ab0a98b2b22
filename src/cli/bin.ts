// Bin: the file that `tek` starts. `--version` is answered before anything else is loaded.
import { loadBundle } from './code-cache.ts'
import { tekVersion } from './install-place.ts'

if (process.env['NO_COLOR']) delete process.env['FORCE_COLOR'] // NO_COLOR wins; where both are set Node itself would complain
if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-v')) {
  process.stdout.write(`${tekVersion()}\n`)
} else {
  const { exports, fromCache, keep } = loadBundle(new URL('./main.cjs', import.meta.url))
  if (!fromCache) process.once('exit', keep)
  void (exports as typeof import('./main.ts')).start()
}
