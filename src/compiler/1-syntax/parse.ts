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
import type { Comment } from './comment.ts'
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
  readonly comments: readonly Comment[]
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
  const comments = new Map<number, readonly Comment[]>()
  cuts.forEach((offset, index) => {
    const own = text.slice(offset, cuts[index + 1])
    const piece = cache === undefined ? readPiece(own) : cache.piece(own)
    for (const declaration of piece.declarations) items.push({ offset, declaration })
    if (diagnostics.length < MAX_DIAGNOSTICS) for (const problem of piece.problems) diagnostics.push(moveTo(problem, path, offset))
    if (piece.comments.length > 0) comments.set(offset, piece.comments)
  })
  const value: Module = { kind: 'module', path, items }
  commentsOfModules.set(value, comments)
  return { value, diagnostics }
}

let shared: TekParser | undefined

/** The comments of each module as they were met; the formatter need not look for them again. */
const commentsOfModules = new WeakMap<Module, ReadonlyMap<number, readonly Comment[]>>()

/** The comments of a module by the offset of their piece, where it has any; undefined for a module that `parse` did not make. */
export function commentsOf(module: Module): ReadonlyMap<number, readonly Comment[]> | undefined {
  return commentsOfModules.get(module)
}

function readPiece(text: string): Piece {
  const { tokens: read, comments, docs, problems: misread, quiet: unread } = lex(text)
  const { tokens, problems, quiet: mended, tooDeep } = balance(read, text, unread)
  const found: Diagnostic[] = tooDeep === null ? misread.concat(problems) : [...misread, deepProblem(tooDeep.startOffset, tooDeep.endOffset, 'nested', MAX_NESTING)]
  const everything = [{ start: 0, end: text.length + 1 }]
  shared ??= new TekParser()
  let declarations: readonly Declaration[] = []
  try {
    shared.load(text, tokens, docs, tooDeep === null ? unread.concat(mended) : everything)
    declarations = readTokens(shared, found)
    found.push(...shared.problems)
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error
    const { startOffset, endOffset } = error.token
    found.push(deepProblem(startOffset, endOffset, error.what, error.what === 'nested' ? MAX_NESTING : MAX_HEIGHT))
    // Read again up to there, so that the declaration keeps its name and what came before; whatever is said of it would be an echo.
    const before = tokens.slice(0, Math.max(0, tokens.indexOf(error.token)))
    shared.load(text, balance(before, text).tokens, docs, everything, false)
    declarations = readTokens(shared, [])
  }
  return found.length === 0 ? { declarations, problems: found, comments } : { ...withProblems(declarations, found), comments }
}

function withProblems(declarations: readonly Declaration[], found: Diagnostic[]): Pick<Piece, 'declarations' | 'problems'> {
  found.sort((a, b) => a.at!.start - b.at!.start)
  const said = new Set<string>()
  const once = found.filter(({ code, at }) => !said.has(`${code} ${at!.start}`) && said.add(`${code} ${at!.start}`))
  return { declarations: declarations.map(each => markBroken(each, declarations, once)), problems: once }
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
  const before = all[all.indexOf(declaration) - 1]?.end ?? 0
  const last = all[all.length - 1] === declaration
  const broken = problems.some(each => each.at!.start >= before && (last || each.at!.start < declaration.end))
  return broken ? { ...declaration, broken } : declaration
}
