// Nesting child: reads, formats and checks deep texts on the stack it was given, in this process and in a worker thread.
// Started by nesting.test.ts from a bundle; never part of a warm process, whose compiled code takes less stack.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { format } from '#compiler/1-syntax/format.ts'
import { compile } from '#compiler/compile.ts'

/** The codes of a text's diagnostics, before and after formatting. */
function codes(text: string): string[] {
  const all = (each: string): string[] => compile({
    entry: 'a.tek', readSource: path => ({ path, text: each }), resolvePath: (_, specifier) => specifier, signature: () => null, stdNames: [],
  }).diagnostics.map(({ code }) => code)
  return [...new Set([...all(text), ...all(format({ path: 'a.tek', text }).value)])]
}

const texts: readonly string[] = isMainThread ? JSON.parse(process.argv[2]!) as string[] : workerData as string[]
const answer = texts.map(text => {
  try {
    return codes(text)
  } catch (error) {
    return [String(error)]
  }
})
if (!isMainThread) parentPort!.postMessage(answer)
else new Worker(new URL(import.meta.url), { workerData: texts }).once('message', inWorker => process.stdout.write(JSON.stringify([answer, inWorker])))
