// Explain: `tek explain CODE`, the page of a code in the terminal.
// Owns: finding and showing pages. Does not own: their text (docs/errors).
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Option } from 'clipanion'
import { didYouMean } from '#base/did-you-mean.ts'
import type { Paint } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { table } from '../columns.ts'
import { errorPagesFolder } from '../install-place.ts'

interface Page {
  readonly code: string
  readonly summary: string
  readonly wrong: string
  readonly right: string
  readonly whatToDo: string
}

export class ExplainCommand extends TekCommand {
  static override paths = [['explain']]
  static override usage = {
    description: 'what a code means, with a wrong and a right example',
    details: 'Without a code, lists them all.',
    examples: [
      ['one code', 'tek explain syntax/unclosed-string'],
      ['all codes', 'tek explain'],
      ['for programs', 'tek explain syntax/unclosed-string --json'],
    ] as [string, string][],
  }
  code = Option.String({ name: 'CODE', required: false })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const codes = allCodes()
    const { out } = this.context
    if (this.code === undefined) {
      if (this.json) this.printJson({ version: 1, codes })
      else out.write(`${table(codes.map((code): [string, string] => [code, readPage(code).summary.split('\n')[0]!]), out.paint).join('\n')}\n`)
      return exitCodes.fine
    }
    if (!codes.includes(this.code)) {
      const near = [...didYouMean(this.code, codes), ...codes.filter(each => each.endsWith(`/${this.code}`))]
      throw new CliFailure([cliErrors['unknown-code']({ code: this.code }, { help: [...new Set(near)].slice(0, 3).map(each => `Did you mean \`${each}\`?`) })], exitCodes.usage)
    }
    const page = readPage(this.code)
    if (this.json) this.printJson({ version: 1, ...page })
    else out.write(show(page, out.paint))
    return exitCodes.fine
  }
}

/** Every code that has a page, sorted. */
export function allCodes(): string[] {
  const folder = errorPagesFolder()
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter(each => each.isDirectory())
    .flatMap(family => readdirSync(join(folder, family.name)).filter(name => name.endsWith('.md')).map(name => `${family.name}/${name.slice(0, -3)}`))
    .sort()
}

/** What is said of a code. */
export function readPage(code: string): Page {
  const text = readFileSync(join(errorPagesFolder(), `${code}.md`), 'utf8')
  const [head, ...parts] = text.split(/^## /m)
  const part = (name: string): string => parts.find(each => each.startsWith(name))?.slice(name.length).trim() ?? ''
  const block = (name: string): string => /```\w*(?: \w+)?\n([\s\S]*?)```/.exec(part(name))?.[1] ?? ''
  const summary = head!.split('\n').slice(1).filter(line => !line.startsWith('Arises:')).join('\n').trim()
  return { code, summary, wrong: block('Wrong'), right: block('Right'), whatToDo: part('What to do') }
}

function show(page: Page, paint: Paint): string {
  const indented = (text: string): string => text.trimEnd().split('\n').map(line => `  ${line}`.trimEnd()).join('\n')
  return [
    paint('bold', page.code), page.summary, '',
    paint('red', 'Wrong'), indented(page.wrong), '',
    paint('green', 'Right'), indented(page.right), '',
    paint('bold', 'What to do'), page.whatToDo, '',
  ].join('\n')
}
