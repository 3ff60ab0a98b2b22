// Redacted context: what programs print and servers answer reaches a tool without the secrets of the run.
// Owns: that it happens before the tool sees it. Does not own: what a secret looks like (secrets/redactor.ts), the guard (guard/context.ts).
//   R1. A tool may cut a text in two, and half a secret is not recognised any more: so the whole text is looked at before the tool is.
//   R2. Where the host itself cut a text off, a beginning of a secret at its end goes as well.
import type { ToolContext } from '#plugin-api/context.ts'
import { noSecrets, type SecretVault } from '#interpreter/secrets/vault.ts'

/** The same context, with secrets taken out of what comes from outside. */
export function redactedContext(context: ToolContext, secrets: SecretVault): ToolContext {
  if (secrets === noSecrets) return context
  return {
    ...context,
    async run(program, args, options) {
      const result = await context.run(program, args, options)
      const shown = (text: string): string => (result.truncated || result.timedOut ? secrets.redactCut(text) : secrets.redactText(text)) // R2
      return { ...result, stdout: shown(result.stdout), stderr: shown(result.stderr) }
    },
    async fetch(url, options) {
      const { status, headers, body, url: from } = await context.fetch(url, options)
      const shown = Object.entries(headers).map(([name, value]) => [secrets.redactText(name), secrets.redactText(value)] as const)
      return { status, headers: Object.fromEntries(shown), body: secrets.redactText(body), url: secrets.redactText(from) }
    },
  }
}
