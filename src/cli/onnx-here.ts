// ONNX here: whether models of this machine can run on it.
// Owns: finding the libraries beside tek, and trying each processor that they bring. Does not own: running models (stdlib/models/onnx.ts).
//   O1. What the libraries say of themselves is not believed: each processor calculates one number in a process of its own, which may crash or hang.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Finding } from './folder-findings.ts'
import { packageFolder } from './install-place.ts'

const LIBRARY = '@huggingface/transformers'
const PROBE_TIMEOUT_MS = 20_000
/** A model that gives back the number that it is given. */
const IDENTITY = 'CAgSDHRlc3RzIG9mIHRlazpHChwKAXgSAXkaCklkZW50aXR5XzAiCElkZW50aXR5EgVncmFwaFoPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEBE='
/** Run with the library's path, the processor and the model. */
const PROBE = `const [path, name, model] = process.argv.slice(1)
const ort = require(path)
ort.InferenceSession.create(Buffer.from(model, 'base64'), { executionProviders: [name], logSeverityLevel: 4 })
  .then(session => session.run({ x: new ort.Tensor('float32', [7], [1]) }))
  .then(({ y }) => process.exit(y.data[0] === 7 ? 0 : 1), () => process.exit(1))`

export async function onnxHere(): Promise<Finding> {
  const found = libraries()
  if (found === null) return { name: 'onnx', ok: true, says: `not installed: models by \`onnx(…)\` need \`npm install ${LIBRARY}\`` }
  if ('problem' in found) return { name: 'onnx', ok: true, says: `\`${LIBRARY}\` is installed, and does not load: ${found.problem}` }
  const tried = await Promise.all(found.processors.map(async name => ({ name, works: await works(found.runtime, name) })))
  const those = (works: boolean): string => tried.filter(each => each.works === works).map(({ name }) => name).join(', ')
  const [here, missing] = [those(true), those(false)]
  return { name: 'onnx', ok: true, says: `Transformers.js ${found.version}, ${here === '' ? 'no processor works' : `runs on: ${here}`}${missing === '' ? '' : `; brought along, and not here: ${missing}`}` }
}

interface Libraries {
  readonly version: string
  /** Path of ONNX Runtime's entry. */
  readonly runtime: string
  readonly processors: readonly string[]
}

function libraries(): Libraries | { readonly problem: string } | null {
  let entry: string
  const near = createRequire(join(packageFolder(), 'package.json'))
  try {
    entry = near.resolve(LIBRARY)
  } catch {
    return null
  }
  try {
    const { version } = JSON.parse(readFileSync(join(entry.slice(0, entry.lastIndexOf(LIBRARY) + LIBRARY.length), 'package.json'), 'utf8')) as { version: string }
    const runtime = createRequire(join(dirname(entry), 'x.js')).resolve('onnxruntime-node')
    const { listSupportedBackends } = near(runtime) as { listSupportedBackends(): readonly { readonly name: string; readonly bundled: boolean }[] }
    return { version, runtime, processors: listSupportedBackends().filter(each => each.bundled).map(({ name }) => name) }
  } catch (error) {
    return { problem: (error instanceof Error ? error.message : String(error)).split('\n')[0]! }
  }
}

/** O1. */
function works(runtime: string, processor: string): Promise<boolean> {
  return new Promise(resolve => {
    execFile(process.execPath, ['-e', PROBE, runtime, processor, IDENTITY], { timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL' }, error => resolve(error === null))
  })
}
