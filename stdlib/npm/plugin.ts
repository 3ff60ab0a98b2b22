// npm: packages of a project: what is installed, what is behind, installing, testing, and the facts by which an upgrade is judged.
// Owns: the tools. Does not own: reading lock files (lock), the registry (registry), versions and ranges (version, range), licences (licence), how something
// is fetched and installed (fetching, cache, install), groups and differences (upgrades), advisories (audit).
//   N1. Package scripts do not run unless asked for by `scripts: true`. N2. What packages and the registry say is untrusted, except names, dates and the versions of the registry, which have a known form.
//   N3. Installing looks first whether it was done, also by a call that was killed: npm writes its notes (package.json, the lock, the list in
//       node_modules) after the packages are in place.
//   N4. tek fetches, npm installs: commands have no network, so what they need is in a cache that tek filled (`cache`).
import { definePlugin, pure, reads, t, ToolFailure, writes, z, type ToolContext } from 'tek-lang/plugin'
import { runShape } from '../shared/test-facts/run-shape.ts'
import { runTests } from '../shared/test-facts/run-tests.ts'
import { audit } from './audit.ts'
import { isOfRegistry } from './fetching.ts'
import { fetchAll, installChanges, installLocked, lock, runNpm, type Place } from './install.ts'
import { licenceFamily } from './licence.ts'
import { own, parseLock, readJson } from './lock.ts'
import { checkedChanges, inside, readProject } from './project.ts'
import { isRange, satisfies } from './range.ts'
import { addressOf, PUBLIC_REGISTRY, readListing, readOutdated, registries } from './registry.ts'
import { groupOf, liesIn, lockChange } from './upgrades.ts'
import { compareVersions, parseVersion, stepBetween } from './version.ts'

const MAX_WALK_ENTRIES = 2_000_000
const MAX_LISTED = 20_000

const dir = t.path.default('.').describe('The folder of the project.')
const version = z.string().describe('A version such as 1.2.3.')
const registryInput = {
  registry: t.url.default(PUBLIC_REGISTRY).describe('The registry that is asked.'),
  token: t.secret(z.string()).default('').describe('A key for that registry; may be a secret.'),
}

const peers = t.map(z.string()).describe('The range of each peer that must be there.')

const packageType = z.object({
  name: z.string(), version: t.untrusted(z.string()), path: t.untrusted(z.string()), dev: z.boolean(), optional: z.boolean(), licence: t.untrusted(z.string()).nullable(), resolved: t.untrusted(z.string()).nullable(),
  integrity: z.boolean().describe('Its content is pinned by a hash.'), installScript: z.boolean(), bundled: z.boolean().describe('It comes inside another package, and is pinned with that one.'), peers,
})
const releaseType = z.object({ version: z.string(), step: z.enum(['none', 'patch', 'minor', 'major']), licence: t.untrusted(z.string()), ageDays: t.int, engines: t.untrusted(z.string()), peers })
const outdatedType = z.object({
  package: z.string(), current: z.string(), minor: z.string().describe('The newest version that should not break; the current one when there is none.'), latest: z.string(),
  step: z.enum(['none', 'patch', 'minor', 'major']), dev: z.boolean(), licence: t.untrusted(z.string()).describe('Of the current version.'), ageDays: t.int.describe('Days since the latest version came out.'),
  peers, dependents: z.array(t.path).describe('Folders whose package.json names it, "." the project\'s own.'),
  releases: z.array(releaseType).describe('The newer versions, the oldest first.'),
})

const cache = t.path.default('.tek-work/npm').describe('npm\'s cache that tek fills: a folder to read and write.')
const changeType = z.object({ package: z.string(), to: version })
const placeOf = (input: { dir: string; cache: string; registry: string; token: string }): Place => ({ dir: input.dir, cache: input.cache, registry: { address: addressOf(input.registry), token: input.token } })
const fetchedFields = { documents: t.int.describe('Documents about packages.'), files: t.int.describe('Packages.'), bytes: t.size }

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
    doc: 'The direct dependencies of the project and its workspaces that are behind, one item a name, by the lock file and the registry; pre-releases and deprecated versions are left out. ' +
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
      releases: z.array(z.object({ version: z.string(), published: t.int.nullable(), licence: t.untrusted(z.string()), deprecated: z.boolean(), engines: t.untrusted(z.string()), peers })),
    }),
    needs: { net: ['$registry'] }, sinks: ['package', 'registry'],
    run: (input, context) => readListing(context, input.package, { address: input.registry, token: input.token }),
  }),
}

const findingType = z.object({
  package: z.string(), version: t.untrusted(z.string()), severity: z.enum(['info', 'low', 'moderate', 'high', 'critical']), title: t.untrusted(z.string()), url: t.untrusted(z.string()),
})

const auditing = {
  audit: reads({
    doc: 'The vulnerabilities that the registry knows of in what the lock file names. Many mirrors do not answer that: then it is unavailable, which is not none, and a gate on it must say no.',
    input: { dir, ...registryInput },
    output: z.union([
      z.object({ kind: z.literal('known'), findings: t.int, list: z.array(findingType) }),
      z.object({ kind: z.literal('unavailable'), why: t.untrusted(z.string()) }),
    ]),
    needs: { 'fs.read': ['$dir'], net: ['$registry'] }, sinks: ['registry'],
    run: async ({ dir, registry, token }, context) => {
      const packages = parseLock(await context.files.readText(inside(dir, 'package-lock.json'), { maxBytes: 50_000_000 }))
      return audit(context, packages, await registries(context, inside(dir, '.npmrc'), { address: addressOf(registry), token }))
    },
  }),
  group: pure({
    doc: 'What must be upgraded together: the package at a version, with every direct dependency whose peers, or that as a peer, does not fit any more, each at its newest version that does; or why nothing fits.',
    // Variables: names and versions are as trusted as the list they are chosen from; what packages say of their peers decides which, and is in no change.
    input: {
      outdated: z.array(z.object({ package: t.variable('Name'), current: z.string(), peers, releases: z.array(z.object({ version: t.variable('Version'), peers })) })).describe('From npm.outdated.'),
      packages: z.array(z.object({ name: t.variable('Name'), version: z.string(), peers })).describe('From npm.packages.'),
      package: t.variable('Name').describe('The package.'), to: t.variable('Version').describe('A version such as 1.2.3.'),
    },
    output: z.object({ changes: z.array(z.object({ package: t.variable('Name'), to: t.variable('Version') })).describe('Empty where nothing fits.'), conflict: t.untrusted(z.string()).nullable() }), runs: 'thread',
    example:
      'map(npm.group([{ package: "ui", current: "1.0.0", peers: {}, releases: [{ version: "2.0.0", peers: {} }] }, { package: "ui-dom", current: "1.0.0", peers: { ui: "^1.0.0" }, ' +
      'releases: [{ version: "2.0.0", peers: { ui: "^2.0.0" } }] }], [], "ui", "2.0.0").changes, c => c.package) == ["ui", "ui-dom"]',
    run: ({ outdated, packages, package: name, to }) => {
      if (outdated.length > MAX_LISTED || packages.length > MAX_LISTED) throw new ToolFailure('too-many', `At most ${MAX_LISTED} packages can be looked at.`)
      return groupOf(outdated, packages, name, to)
    },
  }),
  fits: pure({
    doc: 'Whether a version fits a range, by npm\'s rules.',
    input: { version, range: z.string().describe('A range such as ^1.2.0 || >=3.') }, output: z.boolean(),
    example: 'npm.fits("1.4.0", "^1.2.3 || >=3") == true',
    run: ({ version, range }) => {
      if (!isRange(range)) throw new ToolFailure('bad-range', `\`${range.slice(0, 100)}\` is not a range of versions.`)
      return satisfies(version, range)
    },
  }),
  enginesFit: pure({
    doc: 'Whether a package runs on every Node that a project wants to run on: whether the project\'s range lies in the package\'s. A package that names none runs everywhere.',
    input: { engines: z.string().describe('The package\'s range.'), project: z.string().describe('The project\'s range; it must name one.') }, output: z.boolean(),
    example: 'npm.enginesFit(">=18", "^20.19 || >=22") == true',
    run: ({ engines, project }) => engines.trim() === '' || liesIn(project, engines),
  }),
  lockChange: pure({
    doc: 'What an upgrade does to what is installed: packages that come, go and change, install scripts that were not there, licences that ask more than before (of a new package: more than any ' +
      'before), and what is not pinned to the registry by a hash.',
    input: { before: z.array(packageType).describe('From npm.packages.'), after: z.array(packageType).describe('From npm.packages, afterwards.'), registry: registryInput.registry },
    output: z.object({
      added: z.array(z.object({ name: z.string(), version: t.untrusted(z.string()), licence: t.untrusted(z.string()).nullable() })), removed: z.array(z.object({ name: z.string(), version: t.untrusted(z.string()) })),
      changed: z.array(z.object({ name: z.string(), from: t.untrusted(z.string()), to: t.untrusted(z.string()), licence: t.untrusted(z.string()).nullable() })),
      newInstallScripts: z.array(z.string()), stricterLicences: z.array(z.string()), notPinned: z.array(z.string()),
    }), runs: 'thread',
    example: 'npm.lockChange([], npm.parseLock("{\\"packages\\":{\\"node_modules/a\\":{\\"version\\":\\"1.0.0\\",\\"hasInstallScript\\":true}}}")).newInstallScripts == ["a"]',
    run: ({ before, after, registry }) => lockChange(before, after, resolved => isOfRegistry(resolved, { address: addressOf(registry), token: '' })),
  }),
  project: reads({
    doc: 'What the project says of itself: its manifests (for a commit by path), whether it has tests of its own, the Node it wants, its licence, its lock.',
    input: { dir },
    output: z.object({
      manifests: z.array(t.path).describe('Every package.json, and the lock file where there is one.'), hasTests: z.boolean(), engines: t.untrusted(z.string()).describe('"" when it names none.'),
      licence: t.untrusted(z.string()), lockVersion: t.int.nullable(),
    }),
    needs: { 'fs.read': ['$dir'] },
    run: async ({ dir }, context) => {
      const { manifests, lock, lockVersion } = await readProject(context, dir)
      const root = manifests[0]!.data
      const engines = own(root, 'engines')
      const node = engines !== null && typeof engines === 'object' ? own(engines as Record<string, unknown>, 'node') : undefined
      const licence = own(root, 'license')
      return {
        manifests: [...manifests.map(each => inside(dir, inside(each.folder, 'package.json'))), ...(lock === null ? [] : [inside(dir, 'package-lock.json')])],
        hasTests: testScript(root) !== null, engines: typeof node === 'string' ? node : '', licence: typeof licence === 'string' ? licence : '', lockVersion,
      }
    },
  }),
}

const installFields = { ok: z.boolean(), elapsed: t.duration, warnings: z.array(t.untrusted(z.string())) }
const installed = z.object({ ...installFields, ...fetchedFields })
const scripts = z.boolean().default(false).describe('Let packages run their install scripts.')

const installNeeds = {
  exec: [['npm', 'install', '**'], ['npm', 'ci', '**']], net: ['$registry'], 'fs.read': [['$dir'], ['$cache']], 'fs.write': [['$dir'], ['$cache']],
} as const

const commands = {
  fetch: writes({
    doc: 'Brings into a cache what npm will want: the packages that the lock file pins, and what npm must know to choose versions for these changes. ' +
      'tek asks the registry itself; no command, and nothing of a package, is run. What is there already is not fetched again.',
    input: { changes: z.array(changeType).default([]).describe('Versions that are going to be wanted.'), dir, cache, ...registryInput },
    output: z.object(fetchedFields),
    needs: { net: ['$registry'], 'fs.read': [['$dir'], ['$cache']], 'fs.write': ['$cache'] }, sinks: ['changes', 'dir', 'cache', 'registry'],
    run: ({ changes, ...place }, context) => fetchAll(context, placeOf(place), changes),
  }),
  lock: writes({
    doc: 'Puts exactly these versions into each package.json that names the package (a new one into the project\'s own) and lets npm write the lock file, offline, out of the cache, which is filled ' +
      'for it. Without changes it writes the lock of what is there. When npm finds no solution the manifests stay as they were.',
    input: { changes: z.array(changeType).default([]).describe('What to change.'), dir, cache, ...registryInput },
    output: z.object({ ok: z.boolean(), warnings: z.array(t.untrusted(z.string())), ...fetchedFields }),
    needs: { exec: ['npm', 'install', '**'], net: ['$registry'], 'fs.read': [['$dir'], ['$cache']], 'fs.write': [['$dir'], ['$cache']] }, sinks: ['changes', 'dir', 'cache', 'registry'],
    run: async ({ changes, ...place }, context) => {
      const { fetched, warnings } = await lock(context, placeOf(place), changes)
      return { ok: true, warnings, ...fetched }
    },
  }),
  install: writes({
    doc: 'Adds or changes one package in the project and its workspaces, at exactly this version, and installs the tree that follows from it: npm.lock, then npm.ci out of the cache. ' +
      'Where it is there already, nothing is done. Fails with npm\'s reason; `npm/peers` when it must move together with others.',
    input: { package: z.string().describe('The name of the package.'), to: version, dir, scripts, cache, ...registryInput },
    output: installed, needs: installNeeds, sinks: ['package', 'to', 'dir', 'scripts', 'cache', 'registry'],
    run: ({ package: name, to, scripts, ...place }, context) => installChanges(context, placeOf(place), [{ package: name, to }], scripts), // N3
  }),
  installAll: writes({
    doc: 'As npm.install, several packages at once: a group whose peers want each other (npm.group).',
    input: { changes: z.array(changeType).describe('What to change.'), dir, scripts, cache, ...registryInput },
    output: installed, needs: installNeeds, sinks: ['changes', 'dir', 'scripts', 'cache', 'registry'],
    run: ({ changes, scripts, ...place }, context) => {
      checkedChanges(changes)
      return installChanges(context, placeOf(place), changes, scripts)
    },
  }),
  ci: writes({
    doc: 'Installs exactly what the lock file says, from scratch, out of the cache, which is filled for it. Fails when the lock file and package.json do not fit.',
    input: { dir, scripts, cache, ...registryInput },
    output: installed,
    needs: { exec: ['npm', 'ci', '**'], net: ['$registry'], 'fs.read': [['$dir'], ['$cache']], 'fs.write': [['$dir'], ['$cache']] }, sinks: ['dir', 'scripts', 'cache', 'registry'],
    run: ({ scripts, ...place }, context) => installLocked(context, placeOf(place), scripts), // N4
  }),
  run: writes({
    doc: 'Runs a script of package.json.',
    input: { script: z.string().describe('The name of the script.'), dir },
    output: z.object({ ok: z.boolean(), exitCode: t.int.nullable(), timedOut: z.boolean(), output: t.untrusted(z.string()).describe('The last 20,000 characters.') }),
    needs: { exec: ['npm', 'run', '$script'] }, sinks: ['script', 'dir'],
    run: async ({ script, dir }, context) => {
      if (!/^[A-Za-z0-9_][A-Za-z0-9_:.-]{0,100}$/.test(script)) throw new ToolFailure('bad-name', `\`${script.slice(0, 100)}\` cannot be the name of a script.`)
      const result = await runNpm(context, dir, ['run', script])
      return { ok: result.exitCode === 0 && !result.timedOut, exitCode: result.exitCode, timedOut: result.timedOut, output: `${result.stdout}\n${result.stderr}`.trim().slice(-20_000) }
    },
  }),
}

/** The test script of a manifest; npm's own placeholder is none. */
function testScript(manifest: { readonly [key: string]: unknown }): string | null {
  const scripts = own(manifest, 'scripts')
  const found = scripts !== null && typeof scripts === 'object' ? own(scripts as Record<string, unknown>, 'test') : undefined
  return typeof found === 'string' && !/no test specified/.test(found) ? found : null
}

const hasTests = reads({
  doc: 'Whether the project has a test script of its own (not npm\'s "no test specified").',
  input: { dir }, output: z.boolean(),
  needs: { 'fs.read': ['$dir'] },
  run: async ({ dir }, context) => testScript(readJson(await context.files.readText(inside(dir, 'package.json')), 'package.json')) !== null,
})

const test = writes({
  doc: 'Runs the project\'s tests (npm test, at most 30 minutes) and gives the facts of the output, sorted by name, so that equal runs give equal values. ' +
    '`ok` says the same as `passed`: exit code 0, no failing test, and something ran. The first failing test with what was said about it goes to the log. Fails when the project has no test script.',
  input: { dir },
  output: z.object({ ok: z.boolean(), ...runShape }),
  needs: { exec: ['npm', 'test'] }, sinks: ['dir'],
  run: async ({ dir }, context) => {
    const { run } = await runTests(context, 'npm', ['test'], { copy: false, dir })
    return { ok: run.passed, ...run }
  },
})

export default definePlugin({
  name: 'npm',
  version: '1.0.0',
  doc: 'Packages of a project. The registry is asked by tek itself, under `net`; install scripts do not run unless asked for.',
  types: { Outdated: outdatedType, Package: packageType },
  tools: { ...offline, ...registry, ...auditing, ...commands, test, hasTests },
})
