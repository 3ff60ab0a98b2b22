// Floor: raw message ping-pong with one worker thread. Argument: hops. Prints JSON.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'

if (isMainThread) {
  const hops = Number(process.argv[2])
  const worker = new Worker(new URL(import.meta.url))
  const ask = value => new Promise(resolve => { worker.once('message', resolve); worker.postMessage(value) })
  await ask(0)
  const from = performance.now()
  let value = 0
  for (let hop = 0; hop < hops; hop++) value = await ask(value)
  console.log(JSON.stringify({ elapsedMs: performance.now() - from, value }))
  await worker.terminate()
} else {
  parentPort.on('message', value => parentPort.postMessage(value + 1))
}
