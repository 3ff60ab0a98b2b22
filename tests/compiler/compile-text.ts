// Compiles texts held in memory, and lowers them.
import { nameErrors } from '#diagnostics/catalog/name.ts'
import path from 'node:path'
import { expect } from 'vitest'
import { lower } from '#compiler/4-lower/lower.ts'
import { compile, type Compiled } from '#compiler/compile.ts'
import type { Plan } from '#model/plan.ts'
import { validatePlan } from '#types/plan-json.ts'
import { filesServer, jira, stdModules } from './std-signatures.ts'

/** Compiles `main.tek`; other files by their path. */
export function compileText(main: string, others: Readonly<Record<string, string>> = {}): Compiled {
  const files: Record<string, string> = { ...others, 'main.tek': main }
  return compile({
    entry: 'main.tek',
    readSource: file => file in files ? { path: file, text: files[file]! } : nameErrors['file-not-found']({ path: file }),
    resolvePath: (from, specifier) => path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier)),
    signature: request => {
      if (request.kind === 'std') return stdModules[request.name] ?? null
      if (request.kind === 'mcp') return request.name === 'files' ? filesServer : null
      return request.source === './jira.ts' ? jira : null
    },
    stdNames: Object.keys(stdModules),
  })
}

/** The plan of a program without errors; it can be loaded again. */
export function planOf(main: string, others: Readonly<Record<string, string>> = {}): Plan {
  const compiled = compileText(main, others)
  expect(compiled.diagnostics.filter(each => each.severity === 'error')).toEqual([])
  const plan = lower(compiled.program!)
  expect(validatePlan(JSON.parse(JSON.stringify(plan))).problem).toBe(null)
  return plan
}

/** `code "text under the span"`, one for each diagnostic of the entry file. */
export function reports(main: string, others: Readonly<Record<string, string>> = {}): string[] {
  return compileText(main, others).diagnostics.map(each => `${each.code} ${each.at === undefined ? '' : JSON.stringify(({ ...others, 'main.tek': main } as Record<string, string>)[each.at.path]?.slice(each.at.start, each.at.end))}`)
}
