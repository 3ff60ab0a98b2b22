// Half done: a run of layered tasks that was killed half way, in a folder as its process left it. The tasks of the layer that comes next each write a file, all others are pure.
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundledChild } from './bundled-child.mjs'
import { runCommand } from './measure.mjs'

const LAYER = 1_000

/** Makes it once; gives where it is, its run and what it recorded. */
export async function halfDone(context, tasks) {
  const folder = join(context.folder, `half-${tasks}`)
  const layers = Math.max(2, Math.round(tasks / LAYER))
  const bodyOf = layer => (layer === layers / 2 ? 'len(fs.write("out/${i}", "x")) + i' : 'i + 1')
  const lines = Array.from({ length: layers }, (_, layer) => `  task layer${layer} for i in ${layer === 0 ? `range(${tasks / layers - 1})` : `layer${layer - 1}`} = ${bodyOf(layer)}`)
  mkdirSync(join(folder, '.tek'), { recursive: true })
  writeFileSync(join(folder, 'main.tek'), ['workflow main() -> int {', '  can fs.write("out/**")', ...lines, `  return len(layer${layers - 1})`, '}', ''].join('\n'))
  await runCommand(process.execPath, [context.tek, 'compile', 'main.tek', '-o', 'main.json'], { cwd: folder })
  const made = await bundledChild(context, 'journal', ['cut', join(folder, '.tek', 'tek.db'), join(folder, 'main.json')], { cwd: folder })
  return { folder, ...made }
}

/** A folder of its own for each time that it is gone on with. */
export function copyOf(context, { folder }) {
  const copy = mkdtempSync(join(context.folder, 'half-'))
  cpSync(folder, copy, { recursive: true })
  mkdirSync(join(copy, 'out'))
  return copy
}
