// Diagnostic: the one shape in which anything wrong is said, from a typo to a failed run.
// Owns: the shape and the typed table maker. Does not own: the words (catalog/) or the drawing (render/).
//   G1. A code is `family/slug`, stable for ever; the slug says the mistake in words.
//   G2. A message is one line in the user's words; the next step is a `help` or a fix, never in the message.
//   G3. Facts (names, numbers) come in as parameters; the catalog holds the sentence.
import type { Place } from '#model/source.ts'

export type Severity = 'error' | 'warning' | 'info'

export interface RelatedPlace {
  readonly at: Place
  readonly message: string
}

export interface TextEdit {
  readonly at: Place
  readonly newText: string
}

/** A change that would mend the problem. `safe` ones are applied by `tek check --fix`; others are only shown. */
export interface Fix {
  readonly title: string
  readonly safe: boolean
  readonly edits: readonly TextEdit[]
}

export interface Diagnostic {
  readonly code: string
  readonly severity: Severity
  readonly message: string
  /** Absent only where no file is concerned (a missing file, a full disk). */
  readonly at?: Place
  readonly related: readonly RelatedPlace[]
  /** Set when the related places are the steps, in order, of a way that ends at `at`: what happens there. */
  readonly flow?: string
  /** Next steps in prose, one line each; at most 3. */
  readonly help: readonly string[]
  readonly fixes: readonly Fix[]
}

/** What a report site may add to the catalog's sentence. */
export interface DiagnosticExtras {
  readonly at?: Place
  readonly related?: readonly RelatedPlace[]
  readonly flow?: string
  readonly help?: readonly string[]
  readonly fixes?: readonly Fix[]
}

export interface CatalogEntry<Params> {
  readonly severity: Severity
  readonly message: (params: Params) => string
  /** The usual next step; a report site's own `help` comes before it. */
  readonly help?: (params: Params) => string
}

type AnyTable = Record<string, CatalogEntry<never>>

/** A family's reporters: `loopErrors['may-run-forever']({ loop: 'x' }, { at })` makes a Diagnostic. */
export type Reporters<Table extends AnyTable> = {
  readonly [Slug in keyof Table]: Table[Slug] extends CatalogEntry<infer Params>
    ? (params: Params, extras?: DiagnosticExtras) => Diagnostic
    : never
} & { readonly family: string; readonly entries: Table }

/**
 * Makes the reporters of one family from its table of sentences.
 *
 * @param family first half of each code, such as `loop`.
 * @example
 * const loopErrors = defineDiagnostics('loop', {
 *   'may-run-forever': { severity: 'error', message: (p: { loop: string }) => `The loop \`${p.loop}\` may run for ever: it has no limit.` },
 * })
 * loopErrors['may-run-forever']({ loop: 'tidy' }).code // 'loop/may-run-forever'
 */
export function defineDiagnostics<const Table extends AnyTable>(family: string, entries: Table): Reporters<Table> {
  const reporters: Record<string, unknown> = { family, entries }
  for (const [slug, entry] of Object.entries(entries)) {
    reporters[slug] = (params: never, extras: DiagnosticExtras = {}): Diagnostic => {
      const usual = entry.help?.(params)
      return {
        code: `${family}/${slug}`,
        severity: entry.severity,
        message: entry.message(params),
        ...(extras.at ? { at: extras.at } : {}),
        related: extras.related ?? [],
        ...(extras.flow === undefined ? {} : { flow: extras.flow }),
        help: [...(extras.help ?? []), ...(usual === undefined ? [] : [usual])],
        fixes: extras.fixes ?? [],
      }
    }
  }
  return reporters as Reporters<Table>
}

/** True when any of them is an error: the file does not compile. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(each => each.severity === 'error')
}
