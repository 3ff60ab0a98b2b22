// Bin: the file that `tek` starts. `--version` is answered before anything else is loaded.
import * as nodeModule from 'node:module'
import { tekVersion } from './install-place.ts'

if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-v')) {
  process.stdout.write(`${tekVersion()}\n`)
} else {
  // Node from 22.1 on keeps compiled code between starts.
  const { enableCompileCache } = nodeModule as { enableCompileCache?: () => unknown }
  enableCompileCache?.()
  void import('./main.ts').then(({ start }) => start())
}
