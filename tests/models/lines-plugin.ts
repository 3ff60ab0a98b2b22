// Lines plugin: models over a small protocol of its own, as somebody might write them; and the server's side of that protocol.
import type { ChatBlock } from '#model/chat.ts'
import { inPieces, type Protocol } from './protocol-server.ts'

/** @param needsNode whether it is to run in a process of Node instead of an engine. */
export const linesPlugin = (needsNode: boolean): string => `import { definePlugin, linesOf, ModelFailure, modelProvider, noUsage, z } from 'tek-lang/plugin'

const codes = { 401: 'no-key', 404: 'unknown-model', 413: 'context-full', 429: 'rate-limited', 503: 'overloaded', 529: 'overloaded' }

export default definePlugin({
  name: 'lines', version: '1.0.0', doc: 'Models that answer in lines.',${needsNode ? " needsNode: 'for the test'," : ''}
  models: {
    talk: modelProvider({
      doc: 'A model behind a server that answers in lines.',
      options: z.object({ baseUrl: z.string() }),
      open: (model, { baseUrl }) => ({
        abilities: { images: false, tools: true, schemas: true, contextTokens: 8_000 },
        hosts: [new URL(baseUrl).host],
        async ask(request, { fetch, key, signal, onDelta }) {
          const response = await fetch(baseUrl, { method: 'POST', headers: { 'content-type': 'application/json', ...(key === null ? {} : { 'x-key': key }) }, body: JSON.stringify({ ...request, model }) })
          if (!response.ok) {
            const after = response.headers.get('retry-after-ms') ?? String(1_000 * Number(response.headers.get('retry-after') ?? NaN))
            const { type, message } = JSON.parse(await response.text())
            const code = type === 'too-long' ? 'context-full' : codes[response.status] ?? (response.status >= 500 ? 'server' : 'bad-request')
            throw new ModelFailure(code, message, Number.isFinite(Number(after)) ? { retryAfterMs: Number(after) } : {})
          }
          const content = []
          let last = null
          let length = 0
          for await (const line of linesOf(response)) {
            if (line === '') continue
            let said
            try { said = JSON.parse(line) } catch { throw new ModelFailure('cut-off', 'A line is no JSON.') }
            if (said.error) throw new ModelFailure('overloaded', said.error)
            length += line.length
            if (length > 150_000) throw new ModelFailure('bad-answer', 'The answer is too long.')
            if (said.begin) content.push(said.begin)
            else if (said.text !== undefined) {
              const block = content.at(-1)
              block.text += said.text
              onDelta({ kind: block.kind, text: said.text })
            } else if (said.json !== undefined) {
              const block = content.at(-1)
              try { block.input = JSON.parse(said.json) } catch (error) { block.input = null; block.problem = 'its arguments are no JSON' }
              onDelta({ kind: 'tool-use', name: block.name })
            } else if (said.stop) last = said
          }
          if (signal.aborted) throw new ModelFailure('cancelled', 'The request was given up.')
          if (last === null) throw new ModelFailure('cut-off', 'The answer ended in the middle.')
          return { content, stop: last.stop, usage: { ...noUsage, ...last.usage }, model }
        },
      }),
    }),
    odd: modelProvider({
      doc: 'Does what no model may.',
      options: z.object({ does: z.string(), other: z.string().optional() }),
      open: (model, { does, other }) => {
        if (does === 'not-open') throw new ModelFailure('unknown-model', 'There is no such model.')
        return {
          abilities: { images: false, tools: true, schemas: false, contextTokens: null },
          hosts: does === 'elsewhere' ? ['evil.example:443'] : other === undefined ? [] : [new URL(other).host],
          async ask({ maxTokens }, { fetch, signal }) {
            if (does === 'reach') await fetch('http://127.0.0.1:1/')
            if (does === 'sleep') await new Promise(() => {})
            if (does === 'throw') throw new TypeError('no good')
            if (does === 'wrong') return { content: 'four' }
            if (does === 'many') return Promise.all(Array.from({ length: 10 }, () => fetch(other))).then(() => null)
            return { content: [{ kind: 'text', text: 'x'.repeat(does === 'huge' ? 5_000_000 : 4) }], stop: 'done', usage: noUsage, model }
          },
        }
      },
    }),
  },
})
`

const line = (said: unknown): string => `${JSON.stringify(said)}\n`

export const linesProtocol: Protocol = {
  pieces(script) {
    const out: string[] = []
    const content: readonly ChatBlock[] = script.kind === 'broken-arguments' ? [] : script.content
    for (const block of content) {
      if (block.kind === 'tool-use') out.push(line({ begin: { ...block, input: null } }), line({ json: JSON.stringify(block.input) }))
      else if (block.kind === 'text' || block.kind === 'thinking') out.push(line({ begin: { ...block, text: '' } }), ...inPieces(block.text, script.kind === 'reply' ? (script.pieceLength ?? 7) : 7).map(text => line({ text })))
    }
    if (script.kind === 'broken-arguments') out.push(line({ begin: { kind: 'tool-use', id: 'c', name: script.name, input: null } }), line({ json: script.text }))
    out.push(line({ stop: script.kind === 'reply' ? script.stop : script.kind === 'broken-arguments' ? 'tool-use' : 'done', usage: script.kind === 'reply' ? { input: 11, output: 22, ...script.usage } : {} }))
    return out
  },
  error: (type, message) => JSON.stringify({ type, message }),
  streamError: (_, message) => line({ error: message }),
}
