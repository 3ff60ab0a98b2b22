// Agents server: a server of the Messages API in a process of its own, that answers at once, or as slowly as it is told. Prints its address.
//   A model `turns-N-delay-MS` calls a tool N times, with other arguments each time, and then answers; before each answer, and in the middle of it, MS pass.
import { createServer } from 'node:http'

const event = data => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
const usage = { input_tokens: 100, output_tokens: 20 }

function answer(body) {
  const [, turns, delayMs] = /^turns-(\d+)-delay-(\d+)$/.exec(body.model).map(Number)
  const turn = body.messages.filter(({ role }) => role === 'assistant').length
  const isLast = turn >= turns
  const start = isLast ? { type: 'text', text: '' } : { type: 'tool_use', id: `toolu_${turn}`, name: 'hash_sha256', input: {} }
  const delta = isLast ? { type: 'text_delta', text: 'It is done.' } : { type: 'input_json_delta', partial_json: JSON.stringify({ text: `turn ${turn}` }) }
  const first = event({ type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', content: [], model: body.model, stop_reason: null, stop_sequence: null, usage } }) + event({ type: 'content_block_start', index: 0, content_block: start })
  const rest = event({ type: 'content_block_delta', index: 0, delta }) + event({ type: 'content_block_stop', index: 0 })
    + event({ type: 'message_delta', delta: { stop_reason: isLast ? 'end_turn' : 'tool_use', stop_sequence: null }, usage }) + event({ type: 'message_stop' })
  return { first, rest, delayMs }
}

const server = createServer((request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk)).on('end', () => {
    const { first, rest, delayMs } = answer(JSON.parse(Buffer.concat(chunks).toString()))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (delayMs === 0) return response.end(first + rest)
    setTimeout(() => {
      response.write(first)
      setTimeout(() => response.end(rest), delayMs)
    }, delayMs)
  })
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
process.stdin.on('end', () => process.exit()).resume() // gone with the one who started it
