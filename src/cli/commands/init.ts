// Init: `tek init`, the first files of a project.
// Owns: what is written where, and that nothing is lost. Does not own: the templates (examples/templates, each checked, tested and run as it is).
//   I1. No file that is there is changed, but for lines added to .gitignore; where one is in the way, nothing is written at all.
//   I2. What is written passes `tek check`, `tek test` and `tek run`, without a network and without a key.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { Option } from 'clipanion'
import { didYouMean } from '#base/did-you-mean.ts'
import { neutraliseLine } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { templatesFolder } from '../install-place.ts'
import { shellWord } from '../shell-word.ts'
import { writeFile } from '../source-files.ts'

const STANDARD_TEMPLATE = 'script'
const MAX_IGNORE_BYTES = 1024 * 1024
/** What runs leave in a project; kept out of git. */
const IGNORED = ['.tek/']

/** The recipe for GitHub Actions: everything is checked, formatted and tested without a key. */
const github = `name: tek
on: [push, pull_request]
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: { node-version: 22 }
      - run: npx --yes tek-lang check --format github
      - run: npx --yes tek-lang fmt --check
      - run: npx --yes tek-lang test --allow-all
`

export class InitCommand extends TekCommand {
  static override paths = [['init']]
  static override usage = {
    description: 'begin a project: a program, its tests, and what keeps its runs out of git',
    details: [
      'Writes a program that passes `tek check`, `tek test` and `tek run` as it is, into FOLDER or the current one.',
      'No file that is there is changed, but for a line in .gitignore.',
    ].join('\n'),
    examples: [
      ['in the current folder', 'tek init'],
      ['a folder of its own, with a plugin in TypeScript', 'tek init my-tools --template plugin'],
      ['with a recipe for GitHub Actions', 'tek init --ci github'],
      ['which templates there are', 'tek init --list'],
    ] as [string, string][],
  }
  folder = Option.String({ name: 'FOLDER', required: false })
  template = Option.String('--template', STANDARD_TEMPLATE, { description: `what to begin with; default ${STANDARD_TEMPLATE}` })
  ci = Option.String('--ci', { description: 'a recipe for continuous integration too: github' })
  list = Option.Boolean('--list', false, { description: 'list the templates' })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const { out, err, cwd } = this.context
    if (this.list) {
      const names = templates()
      if (this.json) this.printJson({ version: 1, templates: names })
      else for (const name of names) out.write(`${name}  ${summaryOf(name)}\n`)
      if (!this.json) err.write('\nUse one: tek init FOLDER --template NAME\n')
      return exitCodes.fine
    }
    const files = this.files()
    const folder = resolve(cwd, this.folder ?? '.')
    const taken = [...files.keys()].filter(path => existsSync(join(folder, path)))
    if (taken.length > 0) throw new CliFailure([cliErrors['in-the-way']({ paths: taken.map(path => relative(cwd, join(folder, path))) })], exitCodes.usage) // I1
    const host = await this.context.host()
    for (const [path, text] of files) await writeFile(host, join(folder, path), text)
    const ignored = await this.ignore(folder)
    const written = [...files.keys(), ...ignored]
    if (this.json) this.printJson({ version: 1, folder: relative(cwd, folder), template: this.template, written })
    else for (const path of written) out.write(`${neutraliseLine(relative(cwd, join(folder, path)))}\n`)
    const go = this.folder === undefined ? '' : `cd ${shellWord(this.folder)} && `
    if (!this.json) err.write(`\nNext: ${go}tek check, tek test, tek run main.tek\n`)
    const meant = this.folder !== undefined && this.folder !== this.template && templates().includes(this.folder)
    if (!this.json && meant) err.write(`This is the template \`${this.template}\` in a folder of that name; the other one: tek init FOLDER --template ${this.folder}\n`)
    return exitCodes.fine
  }

  /** Relative to the project's folder. */
  private files(): ReadonlyMap<string, string> {
    const names = templates()
    if (!names.includes(this.template)) {
      throw new CliFailure([cliErrors['bad-value']({ option: '--template', value: this.template, allowed: names.join(', ') }, { help: didYouMean(this.template, names).map(name => `Did you mean \`${name}\`?`) })], exitCodes.usage)
    }
    if (this.ci !== undefined && this.ci !== 'github') throw new CliFailure([cliErrors['bad-value']({ option: '--ci', value: this.ci, allowed: 'github' })], exitCodes.usage)
    const from = join(templatesFolder(), this.template)
    const files = readdirSync(from, { withFileTypes: true, recursive: true }).filter(each => each.isFile()).map(each => relative(from, join(each.parentPath, each.name))).sort()
    return new Map([...files.map(path => [path, readFileSync(join(from, path), 'utf8')] as const), ...(this.ci === undefined ? [] : [['.github/workflows/tek.yml', github] as const])])
  }

  /** Adds what is missing to .gitignore. */
  private async ignore(folder: string): Promise<readonly string[]> {
    const host = await this.context.host()
    const path = join(folder, '.gitignore')
    const before = existsSync(path) ? host.files.readTextSync(path, MAX_IGNORE_BYTES) : ''
    const lines = new Set(before.split(/\r?\n/).map(line => line.trim()))
    const missing = IGNORED.filter(line => !lines.has(line) && !lines.has(line.replace(/\/$/, '')))
    if (missing.length === 0) return []
    await writeFile(host, path, `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`)
    return ['.gitignore']
  }
}

/** Names of what a project can begin with, sorted. */
function templates(): string[] {
  return existsSync(templatesFolder()) ? readdirSync(templatesFolder()).sort() : []
}

/** The first sentence of its program. */
function summaryOf(name: string): string {
  const [line = ''] = readFileSync(join(templatesFolder(), name, 'main.tek'), 'utf8').split('\n')
  return line.replace(/^\/\/ /, '').replace(/[.:] .*$/, '')
}
