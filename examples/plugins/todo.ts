// A whole third-party plugin: it finds to-do comments, and says which grant that needs.
import { definePlugin, pure, reads, t, ToolFailure, z } from 'tek-lang/plugin'

const todo = z.object({ line: z.int(), text: z.string() })

export default definePlugin({
  name: 'todo', version: '1.0.0', doc: 'To-do comments.',
  types: { Todo: todo },
  tools: {
    find: reads({
      doc: 'The to-do comments of one file.', input: { file: t.path.describe('A text file.'), word: z.string().default('TODO') },
      output: z.array(todo), needs: { 'fs.read': ['$file'] }, untrusted: true,
      run: async ({ file, word }, context) => {
        if (word === '') throw new ToolFailure('no-word', 'The word to look for is empty.', { help: 'Leave `word` out to look for TODO.' })
        const lines = (await context.files.readText(file)).split('\n')
        return lines.flatMap((text, index) => (text.includes(word) ? [{ line: index + 1, text: text.trim() }] : []))
      },
    }),
    first: pure({ doc: 'The first one, if any.', input: { todos: z.array(todo) }, output: todo.nullable(), run: ({ todos }) => todos[0] ?? null }),
  },
})
