// Vault: where the values of secrets are, so that nothing else holds them.
// Owns: the interface, the vault without secrets. Does not own: where secrets come from, what may take one (compiler/3-check).
//   S1. A value that is journalled holds a stand-in instead of a secret; the value itself exists only between `reveal` and the tool's end.
//   S2. Stand-ins are replaced only in arguments that the plan marks: text from outside that happens to look like one stays text.
//   S3. Whatever comes back from a tool passes `redact` before anything keeps or shows it.
import type { Outcome } from '#model/event.ts'
import type { Value } from '#model/type.ts'

export interface SecretVault {
  /** The value with every stand-in replaced, and the names of the secrets that were. */
  reveal(value: Value): { readonly value: Value; readonly used: readonly string[] }
  /** Without any secret in it, however it came there. */
  redact(outcome: Outcome): Outcome
  redactText(text: string): string
}

export const noSecrets: SecretVault = { reveal: value => ({ value, used: [] }), redact: outcome => outcome, redactText: text => text }
