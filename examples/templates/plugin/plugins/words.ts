// A plugin: tools for programs, in TypeScript. `pure` tools depend on their arguments alone; `reads` and `writes` reach the machine through
// `context`, as far as the program may: see docs/plugins.md of tek-lang.
import { definePlugin, pure, z } from 'tek-lang/plugin'

const counted = z.object({ word: z.string(), count: z.int() })

export default definePlugin({
  name: 'words', version: '0.1.0', doc: 'Words of a text.',
  tools: {
    counted: pure({
      doc: 'How often each word is there, the most used first.',
      input: { text: z.string().describe('Any text.') },
      output: z.array(counted),
      run: ({ text }) => {
        const counts = new Map<string, number>()
        for (const [word] of text.toLowerCase().matchAll(/\p{L}+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1)
        return [...counts].map(([word, count]) => ({ word, count })).sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1))
      },
    }),
  },
})
