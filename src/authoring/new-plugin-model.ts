// New plugin, model: the two files of a new plugin that brings a model.
// Owns: their texts: a model behind a server that answers in lines of JSON, and its tests by the published contract.

export const modelFile = `// A model behind a server that answers in lines of JSON: {"text": "…"} for each piece, then {"tokens": {"input": …, "output": …}}.
import { linesOf, ModelFailure, modelProvider, noUsage, z, type ChatFailureCode } from 'tek-lang/plugin'

/** What the statuses of the server mean. */
const codes: Readonly<Record<number, ChatFailureCode>> = { 401: 'no-key', 403: 'no-key', 404: 'unknown-model', 429: 'rate-limited', 503: 'overloaded' }

const Line = z.object({ text: z.string().optional(), tokens: z.object({ input: z.int().min(0), output: z.int().min(0) }).optional() })

function lineOf(text: string): z.infer<typeof Line> {
  try {
    return Line.parse(JSON.parse(text))
  } catch {
    throw new ModelFailure('bad-answer', 'The server answered something else than lines of JSON.')
  }
}

export const talk = modelProvider({
  doc: 'A model behind a server of your own.',
  options: z.object({ baseUrl: z.string().describe('Where the server is asked: its host is what the model may reach.') }),
  open: (model, { baseUrl }) => {
    const { host, port, protocol } = new URL(baseUrl)
    return {
      abilities: { images: false, tools: false, schemas: false, contextTokens: null },
      hosts: [port === '' ? \`\${host}:\${protocol === 'http:' ? 80 : 443}\` : host],
      async ask(request, { fetch, key, signal, onDelta }) {
        const headers = { 'content-type': 'application/json', ...(key === null ? {} : { authorization: \`Bearer \${key}\` }) }
        const response = await fetch(baseUrl, { method: 'POST', headers, body: JSON.stringify({ ...request, model }), signal })
        if (!response.ok) {
          const after = Number(response.headers.get('retry-after') ?? Number.NaN)
          const code = codes[response.status] ?? (response.status >= 500 ? 'server' : 'bad-request')
          throw new ModelFailure(code, \`The server answered with status \${response.status}.\`, Number.isFinite(after) ? { retryAfterMs: 1_000 * after } : {})
        }
        let text = ''
        let tokens: { input: number; output: number } | undefined
        for await (const line of linesOf(response)) {
          if (line === '') continue
          const said = lineOf(line)
          if (said.text !== undefined) {
            text += said.text
            onDelta({ kind: 'text', text: said.text })
          }
          tokens = said.tokens
        }
        if (signal.aborted) throw new ModelFailure('cancelled', 'The request was given up.')
        if (tokens === undefined) throw new ModelFailure('cut-off', 'The answer ended in the middle.')
        return { content: [{ kind: 'text', text }], stop: 'done', usage: { ...noUsage, ...tokens }, model }
      },
    }
  },
})
`

export const modelTest = `// The contract of models, with one answer as the server sends it.
import { test } from 'node:test'
import { modelContract } from 'tek-lang/testing'
import { talk } from ${"'../src/model.ts'"}

const body = '{"text":"It is four, "}\\n{"text":"and 四 elsewhere."}\\n{"tokens":{"input":12,"output":7}}\\n'
const sample = { contentType: 'application/x-ndjson', body, text: 'It is four, and 四 elsewhere.' }

for (const { name, run } of modelContract(talk, { model: 'any', options: { baseUrl: 'http://127.0.0.1:9/ask' }, sample })) test(name, run)
`
