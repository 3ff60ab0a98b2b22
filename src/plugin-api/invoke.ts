// Invoke: one call of a plugin's tool, from checked input to checked output.
// Owns: validation on both sides, and turning whatever is thrown into a failure. Does not own: permission (the context it is given) or isolation (plugins/).
//   I1. Nothing a plugin throws or returns gets past this file: the answer is an Outcome or, for pure functions, a value or a ToolFailure.
//   I2. Errors are known by their name, not their class: a bundled plugin may carry its own copy of ToolFailure.
import type { z } from 'zod'
import type { Failure, Outcome } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import { ToolFailure, type ToolContext } from './context.ts'
import type { Plugin, Tool } from './define-plugin.ts'
import { NotPlain, plainValue } from '#base/plain-value.ts'
import { ownFrame } from '#base/stack-frame.ts'
import type { PureFunction, ToolCall } from './tool-runner.ts'

const MAX_DETAILS_LENGTH = 16_000
const MAX_MESSAGE_LENGTH = 2_000
const MAX_SLUG_LENGTH = 64
const cannotBeShown = 'something that cannot be shown was thrown'
const tellTheAuthor = 'This is a mistake in the plugin; tell its author.'
const retryableHostCodes = new Set(['timed-out', 'no-network'])

/** Runs one call to its end. Never rejects. The failure's `task` is empty: the caller knows it. */
export async function invokeTool(plugin: Plugin, call: ToolCall, context: ToolContext): Promise<Outcome> {
  try {
    const tool = toolOf(plugin, call.fn)
    const input = checkInput(plugin, call.fn, tool, call.args)
    const result = tool.effect === 'pure' ? tool.run(input) : await tool.run(input, context)
    return { kind: 'value', value: checkOutput(plugin, call.fn, tool, result) }
  } catch (error) {
    if (context.signal.aborted && !isToolFailure(error)) {
      return { kind: 'failure', failure: { code: 'run/cancelled', message: `\`${plugin.name}.${call.fn}\` was stopped.`, task: '', retryable: false } }
    }
    return { kind: 'failure', failure: failureOf(plugin.name, call.fn, error, context.cwd) }
  }
}

/** The synchronous form of a pure tool (I1). */
export function invokePure(plugin: Plugin, fn: string): PureFunction {
  const tool = toolOf(plugin, fn)
  if (tool.effect !== 'pure') throw new ToolFailure('plugin/unknown-tool', `\`${plugin.name}.${fn}\` is not a pure function.`)
  return args => {
    try {
      return checkOutput(plugin, fn, tool, tool.run(checkInput(plugin, fn, tool, args)))
    } catch (error) {
      const { code, message, retryable, help } = failureOf(plugin.name, fn, error, '')
      throw new ToolFailure(code, message, { retryable, ...(help === undefined ? {} : { help }) })
    }
  }
}

function toolOf(plugin: Plugin, fn: string): Tool {
  const tool = Object.hasOwn(plugin.tools ?? {}, fn) ? plugin.tools?.[fn] : undefined
  if (tool === undefined) throw new ToolFailure('plugin/unknown-tool', `The plugin \`${plugin.name}\` has no \`${fn}\`.`)
  return tool
}

function checkInput(plugin: Plugin, fn: string, tool: Tool, args: Readonly<Record<string, Value>>): Record<string, unknown> {
  const input: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(tool.input)) {
    const given = Object.hasOwn(args, name) ? args[name] : undefined
    let parsed = schema.safeParse(given)
    // `null` is how a program leaves a value open: for an optional parameter it is the same as not giving it.
    if (!parsed.success && given === null) parsed = schema.safeParse(undefined)
    if (!parsed.success) throw new ToolFailure('plugin/bad-input', `\`${name}\` of \`${plugin.name}.${fn}\` cannot be that: ${issueOf(parsed.error)}`)
    if (parsed.data !== undefined) input[name] = parsed.data
  }
  const unknown = Object.keys(args).find(name => !Object.hasOwn(tool.input, name))
  if (unknown !== undefined) throw new ToolFailure('plugin/bad-input', `\`${plugin.name}.${fn}\` has no parameter \`${unknown}\`.`)
  return input
}

function checkOutput(plugin: Plugin, fn: string, tool: Tool, result: unknown): Value {
  const parsed = tool.output.safeParse(result)
  const bad = (why: string): ToolFailure => new ToolFailure('plugin/bad-output', `\`${plugin.name}.${fn}\` gave back something else than it declares: ${why}`, { help: tellTheAuthor })
  if (!parsed.success) throw bad(issueOf(parsed.error))
  try {
    return plainValue(parsed.data) as Value
  } catch (error) {
    if (error instanceof NotPlain) throw bad(error.message)
    throw error
  }
}

function issueOf(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue === undefined) return 'it does not fit.'
  const place = issue.path.length === 0 ? '' : ` at \`${issue.path.map(String).join('.')}\``
  return `${issue.message}${place}`
}

function isToolFailure(error: unknown): error is ToolFailure {
  try {
    return error instanceof Error && error.name === 'ToolFailure' && 'code' in error && typeof error.code === 'string' // I2
  } catch {
    return false
  }
}

/** The text of whatever was thrown: also of things whose own `toString` throws. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown)
  } catch {
    return cannotBeShown
  }
}

/** `Sold out!` → `sold-out`: whatever an author chose becomes a code that `on failure` can name. */
function codeOf(plugin: string, code: string): string {
  if (/^[\w.-]+\/[\w-]+$/.test(code)) return code
  const slug = code.toLowerCase().replace(/[^a-z0-9_]+/g, '-').replace(/^-+|-+$/g, '').slice(0, MAX_SLUG_LENGTH)
  return `${plugin}/${slug === '' ? 'failed' : slug}`
}

/** What was thrown, as a failure in the user's words. */
export function failureOf(plugin: string, fn: string, error: unknown, cwd: string): Failure {
  try {
    return readFailure(plugin, fn, error, cwd)
  } catch { // an error whose parts throw when they are read
    return { code: 'plugin/crashed', task: '', retryable: false, help: tellTheAuthor, message: `\`${plugin}.${fn}\` crashed: ${cannotBeShown}` }
  }
}

function readFailure(plugin: string, fn: string, error: unknown, cwd: string): Failure {
  const message = textOf(error).slice(0, MAX_MESSAGE_LENGTH)
  if (isToolFailure(error)) {
    const help = typeof error.help === 'string' ? { help: error.help.slice(0, MAX_MESSAGE_LENGTH) } : {}
    return { code: codeOf(plugin, error.code), message, task: '', retryable: error.retryable === true, ...help }
  }
  if (error instanceof Error && error.name === 'HostError' && 'code' in error) { // I2
    const code = String(error.code)
    return { code: `${plugin}/${code}`, message, task: '', retryable: retryableHostCodes.has(code) }
  }
  const frame = ownFrame(error, cwd)
  const details = error instanceof Error && typeof error.stack === 'string' ? { details: error.stack.slice(0, MAX_DETAILS_LENGTH) } : {}
  return {
    code: 'plugin/crashed', task: '', retryable: false, help: tellTheAuthor, ...details,
    message: `\`${plugin}.${fn}\` crashed: ${message}${frame === null ? '' : ` (${frame})`}`,
  }
}
