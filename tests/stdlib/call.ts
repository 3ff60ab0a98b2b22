// Call: runs a stdlib tool as a program would: positional arguments, defaults filled in, result checked against its schema.
import type { Plugin, Tool } from '#plugin-api/define-plugin.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import { ToolFailure } from '#plugin-api/context.ts'

function inputOf(tool: Tool, positional: readonly unknown[]): Record<string, unknown> {
  const names = Object.keys(tool.input)
  const named: Record<string, unknown> = {}
  names.forEach((name, index) => {
    if (tool.rest === name) named[name] = positional.slice(index)
    else if (positional[index] !== undefined) named[name] = positional[index]
  })
  const input: Record<string, unknown> = {}
  for (const name of names) {
    const value = tool.input[name]?.parse(named[name])
    if (value !== undefined) input[name] = value
  }
  return input
}

function toolOf(plugin: Plugin, fn: string): Tool {
  const tool = plugin.tools?.[fn]
  if (tool === undefined) throw new Error(`${plugin.name}.${fn} does not exist`)
  return tool
}

export function callPure(plugin: Plugin, fn: string, ...args: unknown[]): any {
  const tool = toolOf(plugin, fn)
  if (tool.effect !== 'pure') throw new Error(`${plugin.name}.${fn} is not pure`)
  return tool.output.parse(tool.run(inputOf(tool, args)))
}

export async function callTool(plugin: Plugin, context: ToolContext, fn: string, ...args: unknown[]): Promise<any> {
  const tool = toolOf(plugin, fn)
  if (tool.effect === 'pure') throw new Error(`${plugin.name}.${fn} is pure`)
  return tool.output.parse(await tool.run(inputOf(tool, args), context))
}

/** The code of the failure that calling gives; anything else than a ToolFailure is passed on. */
export function failureOf(call: () => unknown): string | null {
  try {
    call()
    return null
  } catch (problem) {
    if (problem instanceof ToolFailure) return problem.code
    throw problem
  }
}

export async function failureOfTool(call: Promise<unknown>): Promise<string | null> {
  try {
    await call
    return null
  } catch (problem) {
    if (problem instanceof ToolFailure) return problem.code
    throw problem
  }
}
