// Help: the overview and the page of one command.
// Owns: how help looks. Does not own: what a command says of itself (its `usage` and options).
import type { Definition } from 'clipanion'
import { padToWidth, type Paint } from '#base/terminal-text.ts'
import { table } from './columns.ts'
import { commandTable } from './command-table.ts'

export function overview(version: string, paint: Paint): string {
  const width = Math.max(...commandTable.map(each => each.name.length)) + 2
  return [
    `tek ${version} · programs for agents and automations that are checked before they run`,
    '',
    `${paint('bold', 'Usage')}  tek COMMAND …`,
    '',
    paint('bold', 'Commands'),
    ...commandTable.map(each => `  ${paint('cyan', padToWidth(each.name, width))}${each.summary}`),
    '',
    paint('bold', 'Begin'),
    '  tek run repo-health          reads this repository, writes a report, nothing else',
    '  tek check                    checks every .tek file in this folder',
    '  tek COMMAND --help           shows options and examples of a command',
    '',
    'Exit codes: 0 fine, 1 the program failed, 2 usage, 3 does not compile, 4 not permitted,',
    '5 stopped by a limit or a kill switch, 6 waits for a person or a time, 130 interrupted.',
    '',
  ].join('\n')
}

/** Options of a command that help lists: `[definition, description]`. */
export function optionRows(definition: Definition): [string, string][] {
  return definition.options.map(each => [each.definition.replace(/,/g, ', ').replace(/#0/g, 'VALUE'), each.description ?? ''])
}

export function commandHelp(definition: Definition, takes: string, paint: Paint): string {
  const name = definition.path.replace(/^tek /, '')
  const lines = [`${paint('bold', `tek ${name}`)} · ${(definition.description ?? '').trim()}`, '', `${paint('bold', 'Usage')}  tek ${name} ${takes}`.trimEnd(), '']
  if (definition.details) lines.push(...definition.details.trim().split('\n').map(line => line.trim()), '')
  lines.push(paint('bold', 'Options'), ...table([...optionRows(definition), ['-h, --help', 'show this']], paint), '')
  if (definition.examples) lines.push(paint('bold', 'Examples'), ...table(definition.examples.map(([what, line]): [string, string] => [line, what]), paint), '')
  return lines.join('\n')
}
