// Plugin: `tek plugin new | check | test | pack | list`: what authors of plugins work with, and what a program uses.
// Owns: the five words, their options, what is printed. Does not own: making, checking, testing and packing (authoring/).
//   P1. No file that is there is changed by `new`; where one is in the way, nothing is written.
//   P2. What has an error is not packed.
import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Option } from 'clipanion'
import { didYouMean } from '#base/did-you-mean.ts'
import { sha256 } from '#base/hash.ts'
import { neutraliseLine } from '#base/terminal-text.ts'
import type { CheckedPlugin } from '#authoring/check-plugin.ts'
import type { PluginPart } from '#authoring/new-plugin.ts'
import type { PluginPackage } from '#authoring/plugin-package.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import { hasErrors, type Diagnostic } from '#diagnostics/diagnostic.ts'
import { jsonDiagnostic } from '#diagnostics/render/json.ts'
import { SourceTexts } from '#diagnostics/render/source-lines.ts'
import type { Host } from '#host/host.ts'
import { CliFailure, printDiagnostics, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { packageFolder, tekVersion } from '../install-place.ts'
import { openProgram, type OpenProgram } from '../open-program.ts'
import { shellWord } from '../shell-word.ts'
import { sourceFiles, writeFile } from '../source-files.ts'

const words = ['new', 'check', 'test', 'pack', 'list'] as const
type Word = (typeof words)[number]

export class PluginCommand extends TekCommand {
  static override paths = [['plugin']]
  static override usage = {
    description: 'makes, checks, tests and packs plugins, and lists those that programs use',
    details: [
      '`new NAME` begins a package that passes the others. `check [PATH]` finds what is wrong with one (a package, or one file), calling each tool in memory.',
      '`test [PATH]` runs its `test` blocks and its tests for node:test. `pack [PATH]` checks, and writes what npm installs and publishes.',
      '`list [FILE…]` shows the modules that programs use: release, what they run in, tools and grants.',
    ].join('\n'),
    examples: [
      ['begin a plugin', 'tek plugin new tek-words'], ['with a grant and a model of its own', 'tek plugin new tek-words --with grant,model'], ['is it as it should be?', 'tek plugin check tek-words'],
      ['run its tests', 'tek plugin test tek-words'], ['make what is installed and published', 'tek plugin pack tek-words'], ['what a program uses', 'tek plugin list flow.tek'],
    ] as [string, string][],
  }
  words = Option.Rest({ name: 'new NAME | check [PATH] | test [PATH] | pack [PATH] | list [FILE…]', required: 1 })
  with = Option.String('--with', { description: 'new: what is in it beside a tool: grant, model, types' })
  needsNode = Option.Boolean('--needs-node', false, { description: 'new: it uses modules of Node, and runs in a confined process' })
  allowAll = Option.Boolean('--allow-all', false, { description: 'test: allow what its programs ask for, for this time' })
  unconfined = Option.Boolean('--unconfined', false, { description: 'check, pack, test: where this machine has no sandbox, let one that needs Node run with all your rights, for this time' })
  json = Option.Boolean('--json', false, { description: 'new, check, pack, list: print as JSON' })

  override async execute(): Promise<ExitCode> {
    const [given = '', ...more] = this.words
    const word = words.find(each => each === given)
    if (word === undefined) {
      throw new CliFailure([cliErrors['bad-value']({ option: 'plugin', value: given, allowed: words.join(', ') }, { help: didYouMean(given, words).map(each => `Did you mean \`tek plugin ${each}\`?`) })], exitCodes.usage)
    }
    if (word === 'list') return this.list(more)
    if (more.length > 1) throw new CliFailure([cliErrors['too-many-arguments']({ command: `plugin ${word}`, extra: more[1]! })], exitCodes.usage)
    return word === 'new' ? this.new(more[0]) : this.onPackage(word, more[0] ?? '.')
  }

  private async new(packageName: string | undefined): Promise<ExitCode> {
    if (packageName === undefined) throw new CliFailure([cliErrors['missing-argument']({ command: 'plugin new', what: 'NAME' })], exitCodes.usage)
    const { namesOf, newPluginFiles, pluginParts } = await import('#authoring/new-plugin.ts')
    const names = namesOf(packageName)
    if (names === null) throw new CliFailure([cliErrors['bad-value']({ option: 'NAME', value: packageName, allowed: 'small letters, digits and `-`, perhaps behind a scope: tek-words, @me/words' })], exitCodes.usage)
    if (await isTaken(await this.context.host(), names.plugin)) {
      const help = [`Another name for the package gives it another: \`tek-my-${names.folder.replace(/^tek-/, '')}\`.`]
      throw new CliFailure([pluginErrors['reserved-name']({ source: packageName, name: names.plugin }, { help })], exitCodes.usage)
    }
    const asked = (this.with ?? '').split(',').map(each => each.trim()).filter(each => each !== '')
    const unknown = asked.find(each => !pluginParts.some(part => part === each))
    if (unknown !== undefined) {
      throw new CliFailure([cliErrors['bad-value']({ option: '--with', value: unknown, allowed: pluginParts.join(', ') }, { help: didYouMean(unknown, pluginParts).map(each => `Did you mean \`${each}\`?`) })], exitCodes.usage)
    }
    const { cwd, out, err } = this.context
    const files = newPluginFiles({ packageName, parts: new Set(asked as PluginPart[]), needsNode: this.needsNode, tekVersion: tekVersion() })
    const folder = resolve(cwd, names.folder)
    const taken = [...files.keys()].filter(path => existsSync(join(folder, path)))
    if (taken.length > 0) throw new CliFailure([cliErrors['in-the-way']({ paths: taken.map(path => relative(cwd, join(folder, path))) })], exitCodes.usage) // P1
    const host = await this.context.host()
    for (const [path, text] of files) await writeFile(host, join(folder, path), text)
    if (this.json) this.printJson({ version: 1, folder: names.folder, plugin: names.plugin, written: [...files.keys()] })
    else {
      for (const path of files.keys()) out.write(`${neutraliseLine(`${names.folder}/${path}`)}\n`)
      err.write(`\nNext: cd ${shellWord(names.folder)} && tek plugin check && tek plugin test\n`)
    }
    return exitCodes.fine
  }

  private async onPackage(word: Exclude<Word, 'new' | 'list'>, path: string): Promise<ExitCode> {
    const host = await this.context.host()
    const { openPackage } = await import('#authoring/plugin-package.ts')
    const plugin = await openPackage(host, resolve(this.context.cwd, path))
    if ('code' in plugin) throw new CliFailure([plugin], exitCodes.failed)
    if (word === 'test') return this.test(plugin)
    const { checkPlugin } = await import('#authoring/check-plugin.ts')
    const checked = await checkPlugin(plugin, { host, parts: parts(), tekVersion: tekVersion(), mayBeUnconfined: this.unconfined })
    return word === 'check' ? this.check(checked) : this.pack(host, plugin, checked)
  }

  private check(checked: CheckedPlugin): ExitCode {
    const { diagnostics, sources, signature } = checked
    const { out, err } = this.context
    const isFine = !hasErrors(diagnostics)
    if (this.json) {
      const texts = new SourceTexts(sources)
      this.printJson({ version: 1, ok: isFine, plugin: signature === null ? null : factsOf(checked), diagnostics: diagnostics.map(each => jsonDiagnostic(each, texts)) })
      return isFine ? exitCodes.fine : exitCodes.failed
    }
    if (signature !== null) out.write(`${neutraliseLine(lineOf(checked))}\n`)
    if (diagnostics.length > 0) {
      out.write('\n')
      printDiagnostics(out, diagnostics, sources)
    }
    if (checked.skipped.length > 0) err.write(`Not called, for want of arguments: ${neutraliseLine(checked.skipped.join(', '))}\n`)
    err.write(`${summary(diagnostics)}\n`)
    return isFine ? exitCodes.fine : exitCodes.failed
  }

  private async pack(host: Host, plugin: PluginPackage, checked: CheckedPlugin): Promise<ExitCode> {
    const { diagnostics, sources, signature, bundle, api } = checked
    if (hasErrors(diagnostics) || signature === null || bundle === null) throw new CliFailure(diagnostics, exitCodes.failed, sources) // P2
    const [{ packPlugin }, { pluginApiVersion }] = await Promise.all([import('#authoring/pack-plugin.ts'), import('#plugin-api/define-plugin.ts')])
    const packed = packPlugin(plugin, bundle, signature, api ?? pluginApiVersion)
    if ('code' in packed) throw new CliFailure([packed], exitCodes.failed)
    const { out, err, cwd } = this.context
    await host.files.writeAtomic(join(cwd, packed.name), packed.bytes)
    if (this.json) {
      this.printJson({ version: 1, file: packed.name, bytes: packed.bytes.length, sha256: sha256(packed.bytes), plugin: factsOf(checked), files: packed.files })
      return exitCodes.fine
    }
    printDiagnostics(err, diagnostics, sources)
    for (const { path, bytes } of packed.files) out.write(`${String(bytes).padStart(9)}  ${neutraliseLine(path)}\n`)
    out.write(`${neutraliseLine(packed.name)}  ${packed.bytes.length} bytes\n`)
    err.write(`\nNext: npm install ./${shellWord(packed.name)}, or npm publish ./${shellWord(packed.name)}\n`)
    return exitCodes.fine
  }

  private async test(plugin: PluginPackage): Promise<ExitCode> {
    const { buildUnits, runNode, testsOf } = await import('#authoring/test-plugin.ts')
    const { programs, units, others } = testsOf(plugin)
    const { out, err, cwd, env } = this.context
    if (programs.length + units.length === 0) throw new CliFailure([cliErrors['no-tests']({ path: plugin.shown(plugin.root) })], exitCodes.usage)
    const entries = Object.fromEntries(['plugin', 'testing'].map(each => [`tek-lang/${each}`, pathToFileURL(join(packageFolder(), 'dist', `${each}.mjs`)).href]))
    const built = await buildUnits(plugin, units, entries)
    if ('code' in built) throw new CliFailure([built as Diagnostic], exitCodes.failed)
    if (others.length > 0) err.write(`For a runner of their own: ${neutraliseLine(others.join(', '))}\n`)
    let code: number = exitCodes.fine
    if (built.length > 0) {
      const ended = await runNode(['--enable-source-maps', '--test', '--test-reporter=spec', ...built], plugin.root, env, text => void out.write(text))
      if (ended !== 0) code = exitCodes.failed
    }
    if (programs.length === 0) return code as ExitCode
    const flags = [...(this.allowAll ? ['--allow-all'] : []), ...(this.unconfined ? ['--unconfined'] : [])]
    // Paths in programs begin in the package's folder: elsewhere, it is a process there.
    const ended = resolve(cwd) === plugin.root
      ? await this.context.runCommand(['test', ...programs, ...flags])
      : await runNode([fileURLToPath(pathToFileURL(join(packageFolder(), 'dist', 'tek.mjs'))), 'test', ...programs, ...flags], plugin.root, env, text => void out.write(text))
    return (code === exitCodes.fine ? ended : code) as ExitCode
  }

  private async list(files: readonly string[]): Promise<ExitCode> {
    const host = await this.context.host()
    const { usedModules, writeModules } = await import('../plugin-list.ts')
    const programs: OpenProgram[] = []
    for (const file of await sourceFiles(host, files)) programs.push(await openProgram(this.context, host, file, { quiet: true, mayBeUnconfined: this.unconfined }))
    const modules = await usedModules(host, programs, parts())
    if (this.json) this.printJson({ version: 1, modules })
    else if (modules.length === 0) this.context.err.write('No module is used.\n')
    else writeModules(this.context.out, modules)
    return exitCodes.fine
  }
}

/** A name that no plugin may have, or that no program could write. */
async function isTaken(host: Host, name: string): Promise<boolean> {
  const [{ KEYWORDS }, { createPluginHost, reservedNames }] = await Promise.all([import('#compiler/1-syntax/keywords.ts'), import('#plugins/load.ts')])
  return reservedNames.has(name) || KEYWORDS.has(name) || (await createPluginHost({ host, projectDir: host.cwd, ...parts() }).stdNames()).includes(name)
}

/** Where tek's built parts lie. */
function parts() {
  const url = (name: string): string => pathToFileURL(join(packageFolder(), 'dist', name)).href
  return { stdlibUrl: `${url('stdlib')}/`, childUrl: url('plugin-child.mjs'), pluginEntryUrl: url('plugin.mjs') }
}

function factsOf({ signature, bundle, api, calls, skipped }: CheckedPlugin) {
  const { name, release, hash, functions, grants, models, types, needsNode } = signature!
  return {
    name, release, hash, api, runsIn: bundle!.mode, needsNode: needsNode ?? null, tools: Object.keys(functions), grants: Object.keys(grants), models: Object.keys(models), types: Object.keys(types), calls, skipped,
  }
}

function lineOf(checked: CheckedPlugin): string {
  const { name, release, runsIn, tools, grants, models, calls } = factsOf(checked)
  const count = (number: number, what: string): string[] => (number === 0 ? [] : [`${number} ${what}${number === 1 ? '' : 's'}`])
  const parts = [...count(tools.length, 'tool'), ...count(grants.length, 'grant'), ...count(models.length, 'model'), ...count(calls, 'call')]
  return [`${name} ${release}`, `runs in ${runsIn === 'engine' ? 'an engine' : 'a confined process of Node'}`, ...parts].join(' · ')
}

function summary(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(each => each.severity === 'error').length
  const warnings = diagnostics.length - errors
  if (diagnostics.length === 0) return 'Nothing is wrong with it.'
  return `${errors} error${errors === 1 ? '' : 's'}, ${warnings} warning${warnings === 1 ? '' : 's'}`
}
