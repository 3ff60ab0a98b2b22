// Module page: the documentation of one std module, written from its definition.
import type { ModuleSignature, ParamSignature } from '#model/signature.ts'
import { printType } from '#types/print.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function parameter(param: ParamSignature): string {
  const fallback = param.default === undefined ? '' : ` = ${JSON.stringify(param.default)}`
  const mark = param.rest === true ? '…' : param.optional && fallback === '' ? '?' : ''
  return `${param.name}${mark}: ${printType(param.type)}${fallback}`
}

/** The page `docs/stdlib/<name>.md`. */
export function modulePage(module: ModuleSignature): string {
  const out: string[] = [`# ${module.name}`, '', module.doc, '', '```tek', `use std.${module.name}`, '```', '']
  const grants = Object.values(module.grants)
  if (grants.length > 0) {
    out.push('## Grants', '', '| grant | allows |', '| --- | --- |')
    for (const grant of grants) out.push(`| \`${module.name}.${grant.name}(${grant.params.map(param => param.name).join(', ')})\` | ${cell(grant.doc)} |`)
    out.push('')
  }
  const constants = Object.entries(module.constants)
  if (constants.length > 0) {
    out.push('## Constants', '', '| name | is |', '| --- | --- |', ...constants.map(([name, one]) => `| \`${module.name}.${name}\` | ${cell(one.doc)} |`), '')
  }
  out.push('## Functions', '')
  for (const fn of Object.values(module.functions)) {
    out.push(`### ${fn.name}`, '', '```text', `${module.name}.${fn.name}(${fn.params.map(parameter).join(', ')}) -> ${printType(fn.result)}`, '```', '', fn.doc, '')
    const needs = fn.needs.map(need => `\`${need.grant}(${need.args.map(arg => ('param' in arg ? arg.param : JSON.stringify(arg.literal))).join(', ')})\``)
    const facts = [
      fn.effect === 'pure' ? 'Pure' : fn.effect === 'read' ? 'Looks at the world' : 'Changes the world', ...(needs.length > 0 ? [`needs ${needs.join(' and ')}`] : []),
      ...(fn.untrusted ? ['its result is untrusted'] : []),
    ]
    out.push(`${facts.join('; ')}.`, '')
    if (fn.params.length > 0) {
      out.push('| parameter | meaning |', '| --- | --- |', ...fn.params.map(param => `| \`${param.name}\` | ${cell(param.doc)}${param.sink === true ? ' Must be trusted.' : ''}${param.secret === true ? ' May be a secret.' : ''} |`), '')
    }
    if (fn.example !== undefined) out.push('```text', fn.example, '```', '')
  }
  return `${out.join('\n').trimEnd()}\n`
}
