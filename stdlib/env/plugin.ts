// env: variables of the environment, each by its granted name.
// Owns: asking. Does not own: which names may be read (the grant `env`), secrets (the declaration `secret x = env(…)`).
import { definePlugin, reads, ToolFailure, z } from 'tek-lang/plugin'

const name = z.string().describe('The name of the variable.')

function checked(value: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,255}$/.test(value)) throw new ToolFailure('bad-name', `\`${value.slice(0, 100)}\` cannot be the name of a variable.`)
  return value
}

export default definePlugin({
  name: 'env',
  version: '1.0.0',
  doc: 'Variables of the environment. Each needs `env(NAME)`. For passwords and keys use a `secret` declaration.',
  tools: {
    get: reads({
      doc: 'The value of a variable; fails when it is not set.',
      input: { name }, output: z.string(),
      needs: { env: ['$name'] }, sinks: ['name'],
      run: async ({ name }, context) => {
        const value = await context.env(checked(name))
        if (value === undefined) throw new ToolFailure('not-set', `The variable ${name} is not set.`, { help: `Set ${name}, or use env.find, which gives null.` })
        return value
      },
    }),
    find: reads({
      doc: 'The value of a variable, or null when it is not set.',
      input: { name }, output: z.string().nullable(),
      needs: { env: ['$name'] }, sinks: ['name'],
      run: async ({ name }, context) => (await context.env(checked(name))) ?? null,
    }),
  },
})
