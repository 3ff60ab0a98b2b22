// World: the server whose calls count, for all programs of bench/crash.
// Owns: what was asked and what was done about it, by path, item and key. Does not own: what should have been (programs.mjs).
//   W1. A key is answered as it was answered before, and does nothing twice: a server that heeds Idempotency-Key.
//   W2. Under /retries an item is refused with 503 at its first `item % 3` keys.
import { createServer } from 'node:http'

/** `asked`: every request in order; `done`: effects by `path item`; `keys`: different keys by the same. */
export async function openWorld() {
  const asked = []
  const answers = new Map()
  const done = new Map()
  const keys = new Map()
  let delayMs = 4
  let onAsked = () => {}
  const server = createServer((request, response) => {
    let text = ''
    request.on('error', () => {})
    response.on('error', () => {})
    request.setEncoding('utf8').on('data', piece => { text += piece })
    request.on('end', () => {
      const { item } = JSON.parse(text)
      const what = `${request.url} ${item}`
      const key = String(request.headers['idempotency-key'])
      asked.push({ what, key })
      if (!answers.has(key)) { // W1
        const known = keys.get(what) ?? 0
        keys.set(what, known + 1)
        const isRefused = request.url.endsWith('/retries') && known < item % 3 // W2
        answers.set(key, isRefused ? 503 : 200)
        if (!isRefused) done.set(what, (done.get(what) ?? 0) + 1)
      }
      onAsked()
      setTimeout(() => response.writeHead(answers.get(key), { 'content-type': 'application/json' }).end(String(item * 2)), Math.random() * 2 * delayMs)
    })
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    asked, done, keys, port: server.address().port,
    setDelay: ms => { delayMs = ms },
    listen: then => { onAsked = then },
    close: () => new Promise(resolve => {
      server.close(resolve)
      server.closeAllConnections()
    }),
  }
}
