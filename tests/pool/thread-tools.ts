// Thread tools: a trusted module whose tools run in threads: work for a processor, calls back to the context, and a thread that ends.
import { z } from 'zod'
import { definePlugin, pure, reads } from '#plugin-api/define-plugin.ts'

/** Keeps a processor busy for `ms`. */
function burn(ms: number): number {
  const end = performance.now() + ms
  let spins = 0
  while (performance.now() < end) spins++
  return spins > 0 ? ms : 0
}

/** What a tool asked for after it had ended. */
let left = Promise.resolve('')

export default definePlugin({
  name: 'test', version: '1.0.0', doc: 'Tools of the tests of the pool.',
  tools: {
    burn: pure({ doc: 'Works.', runs: 'thread', input: { ms: z.number() }, output: z.number(), run: ({ ms }) => burn(ms) }),
    half: pure({ doc: 'Halves.', runs: 'thread', input: { x: z.number() }, output: z.number(), run: ({ x }) => x / 2 }),
    read: reads({ doc: 'Reads by the context.', runs: 'thread', input: { path: z.string() }, output: z.string(), run: ({ path }, context) => context.files.readText(path) }),
    late: reads({
      doc: 'Ends at once, and asks its context afterwards.', runs: 'thread', input: { path: z.string() }, output: z.string(),
      run: async ({ path }, context) => {
        left = new Promise(resolve => setTimeout(() => resolve(context.files.readText(path)), 5))
        return 'gone'
      },
    }),
    overheard: reads({
      doc: 'What `late` was answered, if anything.', runs: 'thread', input: {}, output: z.string(),
      run: () => Promise.race([left, new Promise<string>(resolve => setTimeout(() => resolve('nothing'), 50))]),
    }),
    exit: reads({ doc: 'Ends its thread.', runs: 'thread', input: {}, output: z.string(), run: () => process.exit(3) }),
    grow: reads({
      doc: 'Uses up the memory of its thread.', runs: 'thread', input: {}, output: z.string(),
      run: async () => {
        const kept: number[][] = []
        for (;;) kept.push(Array.from({ length: 10_000 }, (_, i) => i + kept.length))
      },
    }),
    wait: reads({ doc: 'Never ends by itself.', runs: 'thread', input: {}, output: z.string(), run: async (_, context) => { await context.sleep(1e9); return 'late' } }),
  },
})
