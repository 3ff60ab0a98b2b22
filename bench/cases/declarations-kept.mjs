// How much of a file is still understood when it is broken: 100 syntax mistakes in 10,000 declarations, the share of the 9,900 others that the parser keeps whole.
// No peer and no floor; it is a count, so one round is enough. It calls the parser itself, bundled for the purpose.
import { join } from 'node:path'
import { declarationsTek } from '../generate.mjs'

const COUNT = 10_000
const MISTAKES = 100

export const id = 'kept'
export const title = 'sound declarations kept beside 100 syntax mistakes'
export const unit = '%'
export const rounds = 1
export const moreIsBetter = true
export const goal = { text: '≥ 99 %', met: tek => tek >= 99 }

export async function contestants({ root, folder }) {
  const { build } = await import('esbuild')
  const outfile = join(folder, 'parse.mjs')
  await build({
    entryPoints: [join(root, 'src/compiler/1-syntax/parse.ts')], outfile, bundle: true, format: 'esm', platform: 'node', conditions: ['tek-source'],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  })
  const { parse } = await import(outfile)
  let seen = 0
  const text = declarationsTek(COUNT).replace(/^const .*$/gm, line => (seen++ % (COUNT / 4 / MISTAKES) === 0 ? line.replace('=', '= )') : line))
  return {
    tek: async () => {
      const { value } = parse({ path: 'broken.tek', text })
      return (value.items.filter(item => !item.declaration.broken).length / (COUNT - MISTAKES)) * 100
    },
  }
}
