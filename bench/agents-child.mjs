// Agents child: conversations with a model on this machine, in a process of their own: by tek, journal and gateway and all, or by the bare SDK.
//   node bench/agents-child.mjs tek|sdk AGENTS TURNS DELAY_MS HOST_MODULE FOLDER
// Prints JSON: `elapsedMs`, `grownBytes` of the greatest resident size, `gapMs`: the longest that the event loop was held.
// The first conversation is not counted: it loads the libraries on both sides.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

const [who, agents, turns, delayMs, hostModule, folder] = process.argv.slice(2).map((word, index) => (index > 0 && index < 4 ? Number(word) : word))
const server = spawn(process.execPath, [fileURLToPath(new URL('agents-server.mjs', import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] })
const [line] = await once(server.stdout, 'data')
const baseUrl = line.toString().trim()

async function timed(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const before = process.resourceUsage().maxRSS
  delay.enable()
  const from = performance.now()
  await work()
  const elapsedMs = performance.now() - from
  delay.disable()
  return { elapsedMs, grownBytes: (process.resourceUsage().maxRSS - before) * 1024, gapMs: delay.max / 1e6 }
}

async function byTek() {
  const { check, plan, run } = await import('../dist/index.mjs')
  const { nodeHost } = await import(hostModule)
  const host = { ...nodeHost({ cwd: folder }), env: name => (name === 'BENCH_KEY' ? 'key-of-the-benchmark' : undefined) }
  const program = (count, model) => `secret key = env("BENCH_KEY")

model near = anthropic("${model}", baseUrl: "${baseUrl}", key: key, parallel: ${agents}, price: { input: $0, output: $0 })

agent worker {
  model near
  role "You work."
  tools hash.sha256
  limits { turns: 1000 }
}

workflow main() -> string[] {
  can env("BENCH_KEY")
  task answer for n in range(${count}) by worker -> string parallel ${agents} = prompt """Do number \${n}."""
  return answer
}
`
  const drive = async (count, model) => {
    const checked = await check(host, 'bench.tek', { readText: path => (path === 'bench.tek' ? program(count, model) : undefined) })
    if (checked.program === null) throw new Error(checked.diagnostics.map(each => each.message).join('\n'))
    const lowered = plan(checked)
    return async () => {
      const answer = await run(host, { plan: lowered, program: 'bench.tek', args: {}, database: join(folder, `${process.pid}-${count}-${model}.db`), tekVersion: 'bench', onNotice: () => {} })
      const outcome = answer.kind === 'answer' ? answer.value.outcome : { kind: 'failure', failure: answer.diagnostics[0] }
      if (outcome?.kind !== 'value' || outcome.value.length !== count || outcome.value[0] !== 'It is done.') throw new Error(JSON.stringify(outcome).slice(0, 500))
    }
  }
  await (await drive(1, 'turns-1-delay-0'))()
  return timed(await drive(agents, `turns-${turns}-delay-${delayMs}`))
}

async function bySdk() {
  const { default: Anthropic } = await import('@anthropic-ai/sdk')
  const client = new Anthropic({ apiKey: 'key-of-the-benchmark', baseURL: baseUrl, maxRetries: 0 })
  const tools = [{ name: 'hash_sha256', description: 'A hash.', input_schema: { type: 'object', properties: { text: { type: 'string' } } } }]
  const talk = async (number, model) => {
    const messages = [{ role: 'user', content: `Do number ${number}.` }]
    for (;;) {
      const content = []
      let json = ''
      let stop = null
      for await (const said of await client.messages.create({ model, max_tokens: 1_000, system: 'You work.', messages, tools, stream: true })) {
        if (said.type === 'content_block_start') content.push({ ...said.content_block })
        else if (said.type === 'content_block_delta') said.delta.type === 'text_delta' ? (content.at(-1).text += said.delta.text) : (json += said.delta.partial_json)
        else if (said.type === 'message_delta') stop = said.delta.stop_reason
      }
      messages.push({ role: 'assistant', content })
      if (stop !== 'tool_use') return content[0].text
      const [use] = content
      use.input = JSON.parse(json)
      messages.push({ role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: createHash('sha256').update(use.input.text).digest('hex') }] })
    }
  }
  await talk(0, 'turns-1-delay-0')
  return timed(async () => {
    const answers = await Promise.all(Array.from({ length: agents }, (_, number) => talk(number, `turns-${turns}-delay-${delayMs}`)))
    if (answers.some(each => each !== 'It is done.')) throw new Error('an answer is another')
  })
}

console.log(JSON.stringify(await (who === 'tek' ? byTek() : bySdk())))
server.stdin.end()
process.exit()
