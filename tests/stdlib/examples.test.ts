// Every example in the standard library is a tek expression that holds: it is compiled and evaluated as a program would be.
import { describe, expect, test } from 'vitest'
import { compile } from '#compiler/compile.ts'
import { lower } from '#compiler/4-lower/lower.ts'
import { evaluatePure } from '#interpreter/engine/evaluation.ts'
import { invokePure } from '#plugin-api/invoke.ts'
import { plugins, signatures } from './modules.ts'

/** The value of an expression that calls the standard library; diagnostics as text when it does not compile. */
function evaluate(expression: string): unknown {
  const text = `${[...plugins.keys()].map(name => `use std.${name}`).join('\n')}\nworkflow example() -> any {\n  task result = ${expression}\n  return result\n}\n`
  const { program, diagnostics } = compile({
    entry: 'example.tek', readSource: path => ({ path, text }), resolvePath: (_, specifier) => specifier, stdNames: [...plugins.keys()],
    signature: request => (request.kind === 'std' ? (signatures.get(request.name) ?? null) : null),
  })
  if (program === null) return diagnostics.map(each => `${each.code}: ${each.message}`)
  const body = Object.values(lower(program).workflows)[0]?.nodes[0]?.body
  if (body?.kind !== 'expr') throw new Error('the example is not an expression')
  const scope = { param: () => null, node: () => null, constant: () => null, local: () => undefined }
  const step = evaluatePure(body.value, scope, { pure: (module, fn) => invokePure(plugins.get(module.replace(/^std[./]/, ''))!, fn) })
  return step.kind === 'done' ? step.value : step
}

describe.each([...plugins])('%s', (module, plugin) => {
  test('has a word for everything it offers', () => {
    const missing: string[] = []
    for (const [fn, tool] of Object.entries(plugin.tools ?? {})) {
      if (!/^[A-Z−][^]*\.$/.test(tool.doc)) missing.push(`${module}.${fn}: its doc is no sentence`)
      if (tool.effect === 'pure' && tool.example === undefined) missing.push(`${module}.${fn}: no example`)
    }
    for (const [fn, { params }] of Object.entries(signatures.get(module)?.functions ?? {})) {
      for (const param of params) if (param.doc === '') missing.push(`${module}.${fn}: parameter ${param.name} has no doc`)
    }
    expect(missing).toEqual([])
  })

  const examples = Object.entries(plugin.tools ?? {}).flatMap(([fn, tool]) => (tool.example === undefined ? [] : [[fn, tool.example] as const]))
  test.each(examples)('%s: %s', (fn, example) => {
    expect(example).toContain(`${module}.${fn}(`)
    expect(evaluate(example)).toBe(true)
  })
})
