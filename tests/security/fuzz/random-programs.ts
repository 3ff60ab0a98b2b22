// Random programs: small ones that may do little and try much, as text.
// Owns: their texts and what they ask for. Does not own: the world they run in (watched-world.ts).
import type { ToolContext } from '#plugin-api/context.ts'
import type { NaiveGrant } from './naive-grants.ts'
import type { Seeded } from './seeded.ts'

export interface RandomProgram {
  readonly text: string
  /** Arguments of the run. */
  readonly args: Readonly<Record<string, string>>
  /** Levels of authority with the arguments in place: the file's own `can`, where there is one, and the workflow's. */
  readonly levels: readonly (readonly NaiveGrant[])[]
}

const patterns = ['src/**', 'src/*', 'src/*.txt', '${p}/**', '${p}', '${p}/*.txt', '**', '*', 'out/**', 'out/*.txt', 'data/**', '../other/**', '/abs/**', './src/../data/*', 'src/deep/**', '**/*.txt', 'src/a.txt', 'new/**']
const commands = [['git', 'status'], ['git', 'log', '*'], ['git', '**'], ['cat', 'src/*'], ['*', 'x'], ['./run.sh']]
const hosts = ['api.test', '*.test', '*:*', 'api.test:80', 'localhost:8080', '10.0.0.1']
const variables = ['KEY', 'OTHER', '*']

const places = [
  '"src/a.txt"', '"src/deep/b.txt"', '"src/none.txt"', '"data/x.txt"', '"../other/y.txt"', '"/abs/z.txt"', '"/secret.txt"', '"src/../data/x.txt"', '"src/link"', '"src/up/secret.txt"', '"src/up/project/data/x.txt"', '"out/evil.txt"', '"out/o.txt"',
  '".tek/tek.db"', '"tek.permits.yaml"', '".git/config"', '"src/.git"', 'p', 'r', '"${p}/a.txt"', '"${p}/../data/x.txt"', 'path.of(q)', 'path.of("src/${q}")', 'path.of("${p}/${q}")', '"."', '"src"', '"data"', '"new/made"', '"new/n.txt"',
]
const globs = ['"src/**"', '"**"', '"src/*.txt"', '"${p}/**"', '"${p}/*.txt"', '"data/*"', '"src/{a,b}*"', '"src/up/**"', '"{src,data}/**"', '"/abs/*"', '"../**"', '"new/*"', 'q']
const argumentsOf = ['"status"', '"log"', '"main"', '"--output=x"', '"src/a.txt"', '"src/../data/x.txt"', 'q', 'p', '"x"', '"-c"']
const addresses = ['"https://api.test/"', '"http://api.test/"', '"https://x.api.test/to"', '"http://localhost:8080/"', '"http://10.0.0.1/"', '"https://api.test@evil.test/"', '"https://${q}/"', '"https://api.test/${q}"', '"https://evil.test/"']

/** What an adversary gives for the parameters. */
const given = {
  p: ['src', 'data', '../other', '/', '/abs', '**', '*', '.', '..', 'src/..', 'src/up', 'src/*', '', 'new', '.tek', 'src/link'],
  q: ['a', 'a.txt', '../../secret.txt', '/secret.txt', 'src/**', '**', '../**', 'evil.test', 'x@evil.test', 'status', '-x', '..', 'a/../../../secret.txt', '\0', '.git/config', 'link', 'up/secret.txt', '{a,b}', 'evil.test/#'],
  r: ['src/a.txt', '/secret.txt', '../other/y.txt', 'data/x.txt', 'src/up/secret.txt', 'src/link', '.tek/tek.db', 'new/n.txt'],
}

function grantOf(random: Seeded): { text: string; grant: NaiveGrant } {
  const quoted = (name: string, args: readonly string[]): { text: string; grant: NaiveGrant } => ({ text: `${name}(${args.map(each => `"${each}"`).join(', ')})`, grant: { name, args } })
  const kind = random.below(100)
  if (kind < 45) return quoted('fs.read', [random.pick(patterns)])
  if (kind < 70) return quoted('fs.write', [random.pick(patterns)])
  if (kind < 85) return quoted('exec', random.pick(commands))
  return kind < 95 ? quoted('net', [random.pick(hosts)]) : quoted('env', [random.pick(variables)])
}

function call(random: Seeded): string {
  const place = (): string => random.pick(places)
  const forms: readonly (() => string)[] = [
    () => `fs.read(${place()})`, () => `fs.lines(${place()})`, () => `fs.readBytes(${place()})`, () => `fs.exists(${place()})`, () => `fs.stat(${place()})`, () => `fs.size(${place()})`, () => `fs.list(${place()})`,
    () => `fs.glob(${random.pick(globs)})`, () => `fs.write(${place()}, "x")`, () => `fs.append(${place()}, "x")`, () => `fs.makeDirectory(${place()})`, () => `fs.remove(${place()})`,
    () => `fs.copy(${place()}, ${place()})`, () => `fs.move(${place()}, ${place()})`, () => `hash.file(${place()})`, () => `text.grep([${place()}, ${place()}], "CANARY")`,
    () => `shell.run(${random.pick(['"git"', '"cat"', '"sh"', 'q', '"./run.sh"', '"src/../run.sh"'])}${random.many(0, 3, () => `, ${random.pick(argumentsOf)}`).join('')})`,
    () => `http.get(${random.pick(addresses)})`, () => `env.find(${random.pick(['"KEY"', '"OTHER"', '"PATH"', 'q'])})`,
  ]
  return random.pick(forms)()
}

export function randomProgram(random: Seeded): RandomProgram {
  const args = { p: random.pick(given.p), q: random.pick(given.q), r: random.pick(given.r) }
  const grants = random.many(1, 4, () => grantOf(random))
  const file = random.chance(30) ? random.many(1, 3, () => grantOf(random)).filter(each => !each.text.includes('$')) : []
  const tasks = random.many(2, 6, () => call(random)).map((each, index, all) => {
    const before = index > 0 && random.chance(60) ? ` after t${index - 1}` : ''
    const forEach = all[index - 1]?.startsWith('fs.glob') && random.chance(60) ? { head: ` for f in t${index - 1} ?? []`, value: random.pick(['fs.read(f)', 'fs.write(f, "x")', 'fs.remove(f)', 'fs.stat(f)']) } : null
    return forEach === null ? `  task t${index}${before} on failure continue = ${each}` : `  task t${index}${forEach.head} on failure continue = ${forEach.value}`
  })
  const text = [
    ...(file.length > 0 ? [`can ${file.map(each => each.text).join(', ')}`, ''] : []),
    'workflow w(p: path, q: string, r: path) {', `  can ${grants.map(each => each.text).join(', ')}`, ...tasks, '}', '',
  ].join('\n')
  const filled = ({ grant }: { grant: NaiveGrant }): NaiveGrant => ({ name: grant.name, args: grant.args.map(each => each.replaceAll('${p}', () => args.p)) })
  return { text, args, levels: [grants.map(filled), ...(file.length > 0 ? [file.map(filled)] : [])] }
}

const paths = [...given.r, ...given.p, 'src/deep/b.txt', 'src/up/project/data/x.txt', 'out/o.txt', 'out/evil.txt', 'src/made', 'out/made/secret.txt', 'new', 'sub/.git', 'src/tree', '.git', '-rf', '/home/other/y.txt', 'src/tree/hooks/x']

/** One call of a tool's context, and how to show it. */
export function randomCall(random: Seeded): readonly [shown: string, act: (context: ToolContext) => Promise<unknown>] {
  const [a, b] = [random.pick(paths), random.pick(paths)]
  const argv = random.many(0, 3, () => random.pick(['status', 'log', 'main', '-x', 'src/a.txt', '../x', 'x', '']))
  const program = random.pick(['git', 'cat', 'sh', './run.sh', 'run.sh'])
  const address = random.pick(['https://api.test/', 'https://x.api.test/to', 'http://localhost:8080/', 'http://10.0.0.1/', 'https://evil.test/', 'http://api.test/to', 'https://api.test@evil.test/'])
  const pattern = random.pick(['src/**', '**', 'src/*', '{src,data}/*', 'src/up/**', '../**', '/abs/*', 'src/deep/*', a])
  return random.pick<() => readonly [string, (context: ToolContext) => Promise<unknown>]>([
    () => [`read ${a}`, ({ files }) => files.readText(a)], () => [`stat ${a}`, ({ files }) => files.stat(a)], () => [`list ${a}`, ({ files }) => files.list(a)], () => [`glob ${pattern}`, ({ files }) => files.glob(pattern)],
    () => [`write ${a}`, ({ files }) => files.writeText(a, 'x')], () => [`append ${a}`, ({ files }) => files.append(a, 'x')], () => [`make ${a}`, ({ files }) => files.makeDirectory(a)],
    () => [`remove ${a}`, ({ files }) => files.remove(a)], () => [`move ${a} ${b}`, ({ files }) => files.move(a, b)], () => [`run ${program} ${argv.join(' ')}`, context => context.run(program, argv)],
    () => [`fetch ${address}`, context => context.fetch(address)], () => [`env`, context => context.env(random.pick(['KEY', 'OTHER', 'X']))],
  ])()
}
