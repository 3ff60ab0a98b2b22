// npm: packages of a project: what is installed, what is behind, installing, testing.
// Owns: the tools. Does not own: reading lock files (lock), the registry (registry), versions (version), licences (licence).
//   N1. Package scripts do not run unless asked for by `scripts: true`. N2. What packages and the registry say is untrusted, except names, dates and the versions of the registry, which have a known form.
//   N3. Installing looks first whether it was done, also by a call that was killed: npm writes its notes (package.json, the lock, the list in
//       node_modules) after the packages are in place.
import { definePlugin, pure, reads, t, ToolFailure, writes, z, type ToolContext } from 'tek-lang/plugin'
import { licenceFamily } from './licence.ts'
import { isPackageName, own, parseLock, readJson } from './lock.ts'
import { readTestReport } from '../shared/test-report.ts'
import { PUBLIC_REGISTRY, readListing, readOutdated } from './registry.ts'
import { compareVersions, parseVersion, stepBetween } from './version.ts'

const MAX_WALK_ENTRIES = 2_000_000
const INSTALL_TIMEOUT_MS = 900_000

const dir = t.path.default('.').describe('The folder of the project.')
const version = z.string().describe('A version such as 1.2.3.')
const registryInput = {
  registry: t.url.default(PUBLIC_REGISTRY).describe('The registry that is asked.'),
  token: t.secret(z.string()).default('').describe('A key for that registry; may be a secret.'),
}

const packageType = z.object({
  name: z.string(), version: t.untrusted(z.string()), path: t.untrusted(z.string()), dev: z.boolean(), optional: z.boolean(), licence: t.untrusted(z.string()).nullable(), resolved: t.untrusted(z.string()).nullable(),
  integrity: z.boolean().describe('Its content is pinned by a hash.'), installScript: z.boolean(),
})
const releaseType = z.object({ version: z.string(), licence: t.untrusted(z.string()), ageDays: t.int, engines: t.untrusted(z.string()) })
const outdatedType = z.object({
  package: z.string(), current: z.string(), minor: z.string().describe('The newest version that should not break; the current one when there is none.'), latest: z.string(),
  step: z.enum(['none', 'patch', 'minor', 'major']), dev: z.boolean(), licence: t.untrusted(z.string()).describe('Of the current version.'), ageDays: t.int.describe('Days since the latest version came out.'),
  releases: z.array(releaseType).describe('The versions in between.'),
})

const inside = (folder: string, name: string) => (folder === '.' ? name : `${folder.replace(/\/+$/, '')}/${name}`)

async function runNpm(context: ToolContext, folder: string, args: readonly string[], timeoutMs: number) {
  return context.run('npm', args, {
    timeoutMs, maxOutputBytes: 4_000_000, env: { CI: '1', NO_COLOR: '1', NO_UPDATE_NOTIFIER: '1' }, ...(folder === '.' ? {} : { cwd: folder }),
  })
}

/** Runs npm to install something; the reason in npm's own words when it fails. */
async function installing(context: ToolContext, folder: string, args: readonly string[], scripts: boolean) {
  const result = await runNpm(context, folder, [...args.slice(0, 1), '--no-audit', '--no-fund', ...(scripts ? [] : ['--ignore-scripts']), ...args.slice(1)], INSTALL_TIMEOUT_MS) // N1
  if (result.exitCode === 0) return { ok: true, elapsed: Math.round(result.elapsedMs), warnings: result.stderr.split('\n').filter(line => /^npm (?:warn|WARN)/.test(line)).slice(0, 50) }
  const said = result.stderr.split('\n').filter(line => /^npm (?:error|ERR!)/.test(line) && !/complete log|debug-\d/.test(line)).map(line => line.replace(/^npm (?:error|ERR!) ?/, '')).filter(line => line.trim() !== '')
  if (/EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|network/i.test(result.stderr)) {
    throw new ToolFailure('no-network', `npm ${args[0]} needs the network, and a command that tek starts has none.`, { help: 'Install the packages before the run: `npm ci`.' })
  }
  const busy = /ETIMEDOUT|ECONNRESET|EAI_AGAIN|ENOTFOUND|503|429/.test(result.stderr)
  throw new ToolFailure('install-failed', `npm ${args[0]} failed: ${(said.slice(0, 6).join(' · ') || `exit code ${result.exitCode}`).slice(0, 800)}`, { retryable: result.timedOut || busy })
}

/** N3 */
async function isInstalled(context: ToolContext, folder: string, name: string, version: string): Promise<boolean> {
  const read = async (path: string): Promise<unknown> => readJson(await context.files.readText(inside(folder, path), { maxBytes: 50_000_000 }), path)
  const at = (value: unknown, ...keys: readonly string[]): unknown => keys.reduce<unknown>((found, key) => (found !== null && typeof found === 'object' ? own(found as Record<string, unknown>, key) : undefined), value)
  try {
    const manifest = await read('package.json')
    const isAsked = ['dependencies', 'devDependencies', 'optionalDependencies'].some(kind => at(manifest, kind, name) === version)
    if (!isAsked || at(await read('package-lock.json'), 'packages', `node_modules/${name}`, 'version') !== version) return false
    return at(await read('node_modules/.package-lock.json'), 'packages', `node_modules/${name}`, 'version') === version && at(await read(`node_modules/${name}/package.json`), 'version') === version
  } catch {
    return false // something is not there, or may not be read: npm says what is wrong
  }
}

async function sizeOf(context: ToolContext, folder: string): Promise<number> {
  let [total, entries] = [0, 0]
  const waiting = (await context.files.stat(folder)) === null ? [] : [folder]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const entry of await context.files.list(next)) {
      if (++entries > MAX_WALK_ENTRIES) throw new ToolFailure('too-many', `${folder} holds more than ${MAX_WALK_ENTRIES} entries.`)
      const path = `${next}/${entry.name}`
      if (entry.kind === 'directory') waiting.push(path)
      else if (entry.kind === 'file') total += (await context.files.stat(path))?.sizeBytes ?? 0
    }
  }
  return total
}

const offline = {
  parseLock: pure({
    doc: 'The packages that a package-lock.json (version 1, 2 or 3) names, sorted by path. Asks no one.',
    input: { text: z.string().describe('The content of the file.') }, output: z.array(packageType), runs: 'thread',
    example: 'map(npm.parseLock("{\\"packages\\":{\\"node_modules/a\\":{\\"version\\":\\"1.0.0\\"}}}"), p => p.version) == ["1.0.0"]',
    run: ({ text }) => parseLock(text),
  }),
  packages: reads({
    doc: 'The packages that the project\'s package-lock.json names. Asks no one.',
    input: { dir }, output: z.array(packageType),
    needs: { 'fs.read': ['$dir'] },
    run: async ({ dir }, context) => parseLock(await context.files.readText(inside(dir, 'package-lock.json'), { maxBytes: 50_000_000 })),
  }),
  size: reads({
    doc: 'Bytes that the installed packages (node_modules) take; 0 when nothing is installed.',
    input: { dir }, output: t.size,
    needs: { 'fs.read': ['$dir'] },
    run: ({ dir }, context) => sizeOf(context, inside(dir, 'node_modules')),
  }),
  compare: pure({
    doc: 'Order of two versions: −1, 0 or 1 (semver; what is no version comes first).',
    input: { a: version, b: version }, output: t.int,
    example: 'npm.compare("1.10.0", "1.9.0") == 1',
    run: ({ a, b }) => {
      const [left, right] = [parseVersion(a), parseVersion(b)]
      return left === null || right === null ? Number(left !== null) - Number(right !== null) : Math.sign(compareVersions(left, right))
    },
  }),
  step: pure({
    doc: 'The kind of step from one version to another: patch, minor or major; below 1.0.0 the first number that is not 0 counts as major. "none" when it does not go up.',
    input: { from: version, to: version }, output: z.enum(['none', 'patch', 'minor', 'major']),
    example: 'npm.step("0.2.1", "0.6.0") == "major"',
    run: ({ from, to }) => {
      const [left, right] = [parseVersion(from), parseVersion(to)]
      if (left === null || right === null) throw new ToolFailure('bad-version', `\`${(left === null ? from : to).slice(0, 100)}\` is not a version.`)
      return stepBetween(left, right)
    },
  }),
  noStricter: pure({
    doc: 'Whether a licence (SPDX expression) asks no more than another: permissive, weak copyleft, strong, network copyleft, unknown. Unknown ones fit only when they are the same.',
    input: { licence: z.string().describe('The new licence.'), than: z.string().describe('The licence today.') }, output: z.boolean(),
    example: 'npm.noStricter("BlueOak-1.0.0", "MIT") == true',
    run: ({ licence, than }) => (licenceFamily(licence) === 5 || licenceFamily(than) === 5 ? licence.trim() === than.trim() && licence.trim() !== '' : licenceFamily(licence) <= licenceFamily(than)),
  }),
  upgrade: pure({
    doc: 'The upgrade of an outdated package to one of its newer versions, with that version\'s licence and age. A version that is not newer gives age 0 and today\'s licence.',
    // Variables: each part of the result is as trusted as the part it is taken from.
    input: {
      from: z.object({
        package: t.variable('Name'), licence: t.variable('Licence'), releases: z.array(z.object({ version: z.string(), licence: t.variable('Licence'), ageDays: t.int })),
      }).describe('An item of npm.outdated.'),
      to: version,
    },
    output: z.object({ package: t.variable('Name'), to: z.string(), licence: t.variable('Licence'), ageDays: t.int }),
    example:
      'npm.upgrade({ package: "a", current: "1.0.0", minor: "1.1.0", latest: "2.0.0", step: "major", dev: false, licence: "MIT", ageDays: 1, ' +
      'releases: [{ version: "1.1.0", licence: "ISC", ageDays: 30, engines: "" }] }, "1.1.0") == { package: "a", to: "1.1.0", licence: "ISC", ageDays: 30 }',
    run: ({ from, to }) => {
      const release = from.releases.find(one => one.version === to)
      return { package: from.package, to, licence: release?.licence ?? from.licence, ageDays: release?.ageDays ?? 0 }
    },
  }),
}

const registry = {
  outdated: reads({
    doc: 'The direct dependencies that are behind, by the lock file and the registry; pre-releases and deprecated versions are left out. ' +
      'Packages of a scope for which the project\'s .npmrc names another registry are asked for there, if it is granted, and without the token.',
    input: { dir, ...registryInput }, output: z.array(outdatedType),
    needs: { 'fs.read': ['$dir'], net: ['$registry'] }, sinks: ['registry'],
    run: ({ dir, registry, token }, context) => readOutdated(context, dir, { address: registry, token }),
  }),
  view: reads({
    doc: 'The versions of a package, the oldest first, as the registry has them.',
    input: { package: z.string().describe('The name of the package.'), ...registryInput },
    output: z.object({
      name: z.string(), latest: z.string(),
      releases: z.array(z.object({ version: z.string(), published: t.int.nullable(), licence: t.untrusted(z.string()), deprecated: z.boolean(), engines: t.untrusted(z.string()) })),
    }),
    needs: { net: ['$registry'] }, sinks: ['package', 'registry'],
    run: (input, context) => readListing(context, input.package, { address: input.registry, token: input.token }),
  }),
}

const installResult = z.object({ ok: z.boolean(), elapsed: t.duration, warnings: z.array(t.untrusted(z.string())) })

const commands = {
  install: writes({
    doc: 'Adds or changes one package in the project, at exactly this version; where it is there already, nothing is done. Fails with npm\'s reason.',
    input: { package: z.string().describe('The name of the package.'), to: version, dir, scripts: z.boolean().default(false).describe('Let packages run their install scripts.') },
    output: installResult,
    needs: { exec: ['npm', 'install', '**'] }, sinks: ['package', 'to', 'dir', 'scripts'],
    run: async (input, context) => {
      if (!isPackageName(input.package)) throw new ToolFailure('bad-name', `\`${input.package.slice(0, 100)}\` cannot be the name of a package.`)
      if (parseVersion(input.to) === null) throw new ToolFailure('bad-version', `\`${input.to.slice(0, 100)}\` is not a version.`)
      if (await isInstalled(context, input.dir, input.package, input.to)) return { ok: true, elapsed: 0, warnings: [] } // N3
      return installing(context, input.dir, ['install', '--save-exact', '--', `${input.package}@${input.to}`], input.scripts)
    },
  }),
  ci: writes({
    doc: 'Installs exactly what the lock file says, from scratch. Fails when the lock file and package.json do not fit.',
    input: { dir, scripts: z.boolean().default(false).describe('Let packages run their install scripts.') },
    output: installResult,
    needs: { exec: ['npm', 'ci', '**'] }, sinks: ['dir', 'scripts'],
    run: ({ dir, scripts }, context) => installing(context, dir, ['ci'], scripts),
  }),
  run: writes({
    doc: 'Runs a script of package.json.',
    input: { script: z.string().describe('The name of the script.'), dir },
    output: z.object({ ok: z.boolean(), exitCode: t.int.nullable(), timedOut: z.boolean(), output: t.untrusted(z.string()).describe('The last 20,000 characters.') }),
    needs: { exec: ['npm', 'run', '$script'] }, sinks: ['script', 'dir'],
    run: async ({ script, dir }, context) => {
      if (!/^[A-Za-z0-9_][A-Za-z0-9_:.-]{0,100}$/.test(script)) throw new ToolFailure('bad-name', `\`${script.slice(0, 100)}\` cannot be the name of a script.`)
      const result = await runNpm(context, dir, ['run', script], INSTALL_TIMEOUT_MS)
      return { ok: result.exitCode === 0 && !result.timedOut, exitCode: result.exitCode, timedOut: result.timedOut, output: `${result.stdout}\n${result.stderr}`.trim().slice(-20_000) }
    },
  }),
}

const TEST_TIMEOUT_MS = 1_800_000

const scriptOf = async (context: ToolContext, folder: string): Promise<string | null> => {
  const scripts = own(readJson(await context.files.readText(inside(folder, 'package.json')), 'package.json'), 'scripts')
  const found = scripts !== null && typeof scripts === 'object' ? own(scripts as Record<string, unknown>, 'test') : undefined
  return typeof found === 'string' && !/no test specified/.test(found) ? found : null
}

const hasTests = reads({
  doc: 'Whether the project has a test script of its own (not npm\'s "no test specified").',
  input: { dir }, output: z.boolean(),
  needs: { 'fs.read': ['$dir'] },
  run: async ({ dir }, context) => (await scriptOf(context, dir)) !== null,
})

const test = writes({
  doc: 'Runs the project\'s tests (npm test, at most 30 minutes) and gives the facts of the output, sorted by name, so that equal runs give equal values. ' +
    '`ok` is exit code 0 and no failing test. What was printed goes to the log. Fails when the project has no test script.',
  input: { dir },
  output: z.object({
    ok: z.boolean(), exitCode: t.int.nullable(), timedOut: z.boolean(),
    format: z.enum(['tap', 'json', 'junit', 'spec', 'unknown']), passed: t.int, failed: t.int, skipped: t.int,
    tests: z.array(z.object({ name: t.untrusted(z.string()), status: z.enum(['passed', 'failed', 'skipped']) })),
    firstFailure: t.untrusted(z.string()).nullable(),
  }),
  needs: { exec: ['npm', 'test'] }, sinks: ['dir'],
  run: async ({ dir }, context) => {
    const result = await context.run('npm', ['test'], {
      timeoutMs: TEST_TIMEOUT_MS, maxOutputBytes: 16_000_000, env: { CI: '1', NO_COLOR: '1', NO_UPDATE_NOTIFIER: '1' }, ...(dir === '.' ? {} : { cwd: dir }),
    })
    const printed = `${result.stdout}\n${result.stderr}`
    if (/npm (?:error|ERR!) [Mm]issing script/.test(result.stderr) || /Error: no test specified/.test(printed)) {
      throw new ToolFailure('no-tests', 'The project has no test script.', { help: 'Add one to package.json, or run another command with shell.test.' })
    }
    const { details, ...facts } = readTestReport(printed)
    if (result.exitCode !== 0) context.log(details ?? printed.trim().slice(-5_000))
    return { ok: result.exitCode === 0 && !result.timedOut && facts.failed === 0, exitCode: result.exitCode, timedOut: result.timedOut, ...facts }
  },
})

export default definePlugin({
  name: 'npm',
  version: '1.0.0',
  doc: 'Packages of a project. The registry is asked by tek itself, under `net`; install scripts do not run unless asked for.',
  types: { Outdated: outdatedType, Package: packageType },
  tools: { ...offline, ...registry, ...commands, test, hasTests },
})
