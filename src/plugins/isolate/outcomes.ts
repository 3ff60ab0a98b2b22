// Outcomes: a diagnostic, or a code with its words, as the outcome of a call.
// Owns: the shape. Does not own: the words (diagnostics/catalog/plugin.ts). Apart from process.ts, so that checking a program loads nothing that starts processes.
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Failure, Outcome } from '#model/event.ts'

export function failed(code: string, message: string, extras: Partial<Failure> = {}): Outcome {
  return { kind: 'failure', failure: { code, message, task: '', retryable: false, ...extras } }
}

export function fromDiagnostic(diagnostic: Diagnostic, extras: Partial<Failure> = {}): Outcome {
  const [help] = diagnostic.help
  return failed(diagnostic.code, diagnostic.message, { ...(help === undefined ? {} : { help }), ...extras })
}
