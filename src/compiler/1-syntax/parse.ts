// Parse: a file's text to its Module.
// Owns: cutting into pieces, the cache of pieces, bounds on size. Does not own: any rule (parser.ts).
//   S1. Parsing never throws and never fails: any text has a Module and diagnostics.
//   S2. A piece is read without knowing where it stands, so the same text gives the very same nodes wherever it moves (ast.ts A2).
//   S3. Only the parser instance is shared, made on first use; every call leaves it as it found it.
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { SourceFile } from '#model/source.ts'
import type { Declaration, Item, Module } from './ast.ts'
import { balance } from './brackets.ts'
import { cut } from './cut.ts'
import { lex } from './lexer.ts'
import type { Comment } from './lexer.ts'
import { MAX_HEIGHT, MAX_NESTING, TooDeep } from './parser-base.ts'
import { TekParser } from './parser.ts'
import { moveTo, placeAt } from './problem.ts'

/** Size of the largest file that is read, in UTF-16 code units. */
export const MAX_SOURCE_LENGTH = 4 * 1024 * 1024
/** Most pieces a cache holds. */
const MAX_CACHED_PIECES = 50_000

/** Reports of one file after which no further piece's are given. */
const MAX_DIAGNOSTICS = 1000

interface Piece {
  readonly declarations: readonly Declaration[]
  readonly problems: readonly Diagnostic[]
}

/** Remembers pieces by their text, so that only what changed is read again. One per open project; bounded, oldest out first. */
export class ParseCache {
  private readonly pieces = new Map<string, Piece>()

  /** The piece of this text, read if it is not known. */
  piece(text: string): Piece {
    const known = this.pieces.get(text)
    if (known !== undefined) return known
    // A slice would keep the whole file's text alive for as long as the cache lives.
    const own = ` ${text}`.slice(1)
    const piece = readPiece(own)
    if (this.pieces.size >= MAX_CACHED_PIECES) this.pieces.delete(this.pieces.keys().next().value!)
    this.pieces.set(own, piece)
    return piece
  }
}

/**
 * Reads a file. Never throws; what is wrong comes back as diagnostics, and every declaration that can be told apart comes back as a
 * node, `broken` where something in it is wrong.
 *
 * @param cache remembers unchanged declarations between calls; the same nodes come back for the same text.
 * @example
 * parse({ path: 'a.tek', text: 'const x = 1' }).value.items.length // 1
 */
export function parse(source: SourceFile, cache?: ParseCache): { value: Module; diagnostics: Diagnostic[] } {
  const { path, text } = source
  const items: Item[] = []
  const diagnostics: Diagnostic[] = []
  if (text.length > MAX_SOURCE_LENGTH) {
    const limitMb = MAX_SOURCE_LENGTH / 1024 / 1024
    return { value: { kind: 'module', path, items }, diagnostics: [syntaxErrors['file-too-large']({ limitMb }, { at: { path, start: 0, end: 1 } })] }
  }
  const cuts = cut(text)
  cuts.forEach((offset, index) => {
    const own = text.slice(offset, cuts[index + 1])
    const piece = cache === undefined ? readPiece(own) : cache.piece(own)
    for (const declaration of piece.declarations) items.push({ offset, declaration })
    if (diagnostics.length < MAX_DIAGNOSTICS) for (const problem of piece.problems) diagnostics.push(moveTo(problem, path, offset))
  })
  return { value: { kind: 'module', path, items }, diagnostics }
}

let shared: TekParser | undefined

/** The comments of the piece that begins with a declaration, as they were met; the formatter need not look for them again. */
const comments = new WeakMap<Declaration, readonly Comment[]>()

/** The comments of a piece by its first declaration; undefined for nodes that `parse` did not make. */
export function commentsOf(first: Declaration): readonly Comment[] | undefined {
  return comments.get(first)
}

function readPiece(text: string): Piece {
  const lexed = lex(text)
  const { tokens, problems, quiet: mended, tooDeep } = balance(lexed.tokens, text, lexed.quiet)
  const quiet = tooDeep === null ? [...lexed.quiet, ...mended] : [{ start: 0, end: text.length + 1 }]
  const found: Diagnostic[] = [...lexed.problems, ...(tooDeep === null ? problems : [])]
  if (tooDeep !== null) found.push(deepProblem(tooDeep.startOffset, tooDeep.endOffset, 'nested', MAX_NESTING))
  shared ??= new TekParser()
  let declarations: readonly Declaration[] = []
  try {
    shared.load(text, { ...lexed, tokens, quiet })
    declarations = readTokens(shared, found)
    found.push(...shared.problems)
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error
    const { startOffset, endOffset } = error.token
    found.push(deepProblem(startOffset, endOffset, error.what, error.what === 'nested' ? MAX_NESTING : MAX_HEIGHT))
    // Read again up to there, so that the declaration keeps its name and what came before; whatever is said of it would be an echo.
    const before = tokens.slice(0, Math.max(0, tokens.indexOf(error.token)))
    shared.load(text, { ...lexed, tokens: balance(before, text).tokens, quiet: [{ start: 0, end: text.length + 1 }] }, false)
    declarations = readTokens(shared, [])
  }
  found.sort((a, b) => a.at!.start - b.at!.start)
  const said = new Set<string>()
  const once = found.filter(({ code, at }) => !said.has(`${code} ${at!.start}`) && said.add(`${code} ${at!.start}`))
  const marked = declarations.map(each => markBroken(each, declarations, once))
  if (marked[0] !== undefined) comments.set(marked[0], lexed.comments)
  return { declarations: marked, problems: once }
}

/** Reads the tokens the parser was loaded with; should a mistake have slipped through mending, it is reported where reading stopped (S1). */
function readTokens(parser: TekParser, found: Diagnostic[]): readonly Declaration[] {
  const declarations = parser.file() as readonly Declaration[] | undefined
  const [error] = parser.errors
  if (error !== undefined) {
    const { image, startOffset, endOffset } = error.token
    const at = placeAt(startOffset || 0, endOffset || 1)
    found.push(syntaxErrors.unexpected({ found: image === '' ? 'The end of the declaration' : `\`${image}\``, place: 'here' }, { at }))
  }
  return declarations ?? []
}

function deepProblem(start: number, end: number, what: string, limit: number): Diagnostic {
  return syntaxErrors['too-deep']({ what, limit }, { at: placeAt(start, end) })
}

/** A declaration is broken when something between the end of the one before it and its own end was reported. */
function markBroken(declaration: Declaration, all: readonly Declaration[], problems: readonly Diagnostic[]): Declaration {
  if (problems.length === 0) return declaration
  const before = all[all.indexOf(declaration) - 1]?.end ?? 0
  const last = all[all.length - 1] === declaration
  const broken = problems.some(each => each.at!.start >= before && (last || each.at!.start < declaration.end))
  return broken ? { ...declaration, broken } : declaration
}
