// Attacks on the levels of authority: what one level allows and another does not, or nobody does.
import { type Attack, type Family, stoppedCall } from './attack.ts'
import type { ToolContext } from '#plugin-api/context.ts'

const wide = ['fs.read("**")', 'fs.write("**")', 'exec("*", "**")', 'net("*:*")', 'env("*")']
const narrow = ['fs.read("src/**")', 'fs.write("src/**")', 'exec("git", "status")', 'net("granted.test:443")', 'env("CI")']

const doings: readonly (readonly [id: string, what: string, call: (context: ToolContext) => Promise<unknown>])[] = [
  ['read', 'read a file', ({ files }) => files.readText('notes.txt')],
  ['list', 'find files', ({ files }) => files.glob('*')],
  ['write', 'write a file', ({ files }) => files.writeText('notes.txt', 'x')],
  ['run', 'run a command', context => context.run('env', [])],
  ['fetch', 'make a request', context => context.fetch('https://other.test/')],
  ['env', 'read a variable', context => context.env('HOME')],
]

function attempt(id: string, tries: string, levels: readonly (readonly string[])[], call: (context: ToolContext) => Promise<unknown>): Attack {
  return { id, tries, by: 'guard', with: 'permit/denied', run: world => stoppedCall(() => call(world.under(levels))) }
}

const attacks: readonly Attack[] = [
  ...doings.map(([id, what, call]) => attempt(`outer-${id}`, `${what} that the workflow may and the file may not`, [narrow, wide], call)),
  ...doings.map(([id, what, call]) => attempt(`inner-${id}`, `${what} that the file may and the workflow may not`, [wide, narrow], call)),
  ...doings.map(([id, what, call]) => attempt(`empty-${id}`, `${what} where a level allows nothing`, [wide, []], call)),
  ...doings.map(([id, what, call]) => attempt(`none-${id}`, `${what} where no level is there at all`, [], call)),
  {
    id: 'inner-workflow', tries: 'do in a workflow that is called what its caller may not', by: 'guard', with: 'permit/denied',
    run: async world => (await world.ran('workflow inner(file: path) -> untrusted string {\n  can fs.read("${file}")\n  task it = fs.read(file)\n  return it\n}\nworkflow w(file: path) -> untrusted string {\n  can fs.read("src/**")\n  task it = inner(file: file)\n  return it\n}\n', { file: 'notes.txt' }, null, 'w')).stopped,
  },
  {
    id: 'plugin-grant', tries: 'commit to another branch than is granted, named by a parameter', by: 'guard', with: 'permit/denied',
    run: async world => (await world.ran('workflow w(name: string) -> any {\n  can git.branch("tek/**"), fs.read("**")\n  task it = git.createBranch(name)\n  return it\n}\n', { name: 'main' })).stopped,
  },
  {
    id: 'permit', tries: 'do what the program asks for and the person who runs it has not allowed', by: 'guard', with: 'permit/denied',
    run: async world => (await world.ran('workflow w() -> untrusted string {\n  can fs.read("**")\n  task it = fs.read("notes.txt")\n  return it\n}\n', {}, null, 'w', [{ name: 'fs.read', args: ['src/**'] }])).stopped,
  },
]

export const levelAttacks: Family = { name: 'Levels of authority', about: 'Permit, file, workflow, caller: every one must allow it.', attacks }
