// Language server: `tek lsp`, what editors ask, over the Language Server Protocol 3.17. The only file that knows the protocol.
// Owns: open documents, checking them as they change, turning answers into the protocol's shapes. Does not own: any answer (editor/), any rule (compiler/).
//   G1. One check at a time, of the newest text: what is typed meanwhile is checked next, and what is older than that is never shown.
//   G2. A request is answered from a check of the text that the editor has now; one that cannot be made any more is answered with nothing.
//   G3. Nothing of a program is run, and no file is written: an editor applies edits itself.
//   G4. Files that are not open are read from disk, at most MAX_FILES of a project; folders of tools are left out.
import { readdirSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  CodeActionKind, CompletionItemKind, type Connection, createConnection, DiagnosticSeverity, DiagnosticTag, FoldingRangeKind, InlayHintKind, InsertTextFormat, MarkupKind, type Diagnostic as LspDiagnostic,
  type Location, LSPErrorCodes, ProposedFeatures, type Range, ResponseError, SemanticTokensBuilder, SymbolKind, TextDocuments, TextDocumentSyncKind, type DocumentSymbol, type WorkspaceEdit,
} from 'vscode-languageserver/node'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { format } from '#compiler/1-syntax/format.ts'
import { ParseCache } from '#compiler/1-syntax/parse.ts'
import type { Diagnostic, TextEdit } from '#diagnostics/diagnostic.ts'
import { coloursOf, tokenKinds, tokenMarks } from '#editor/colours.ts'
import { type CompletionKind, completionsAt } from '#editor/completion.ts'
import { callHelpAt, hintsOf } from '#editor/hints.ts'
import { hoverAt } from '#editor/hover.ts'
import { keyOf, occurrenceAt, type Occurrence, occurrencesIn } from '#editor/occurrences.ts'
import { foldsOf, type OutlineEntry, type OutlineKind, outlineOf } from '#editor/outline.ts'
import { placesOf, renameProblem } from '#editor/rename.ts'
import type { Host } from '#host/host.ts'
import type { Place } from '#model/source.ts'
import { type CheckedFile, check } from '#tek.ts'

/** Files of a project that are looked through for references. */
const MAX_FILES = 2_000
/** Milliseconds without typing before a document is checked. */
const QUIET_MS = 20
/** Symbols that one search of a project answers with. */
const MAX_SYMBOLS = 1_000
const LEFT_OUT = new Set(['node_modules', '.tek', '.git', 'dist'])

export interface ServerSettings {
  readonly openHost: (cwd: string) => Promise<Host>
  readonly version: string
}

/** Serves until the editor says `exit` or goes away. */
export function serveEditor({ openHost, version }: ServerSettings): void {
  const connection = createConnection(ProposedFeatures.all, process.stdin, process.stdout)
  new LanguageServer(connection, openHost, version).listen()
}

class LanguageServer {
  private readonly connection: Connection
  private readonly openHost: ServerSettings['openHost']
  private readonly version: string
  private readonly documents = new TextDocuments(TextDocument)
  private readonly cache = new ParseCache()
  private host: Promise<Host> | null = null
  private cwd = process.cwd()
  /** By shown path; of the texts that the editor has now. */
  private readonly checked = new Map<string, CheckedFile>()
  private readonly published = new Map<string, readonly Diagnostic[]>()
  private readonly timers = new Map<string, NodeJS.Timeout>()
  private queue: Promise<unknown> = Promise.resolve()

  constructor(connection: Connection, openHost: ServerSettings['openHost'], version: string) {
    this.connection = connection
    this.openHost = openHost
    this.version = version
  }

  listen(): void {
    const { connection, documents } = this
    connection.onInitialize(({ rootUri, workspaceFolders }) => {
      const root = workspaceFolders?.[0]?.uri ?? rootUri
      if (root?.startsWith('file:') === true) this.cwd = fileURLToPath(root)
      return {
        serverInfo: { name: 'tek', version: this.version },
        capabilities: {
          textDocumentSync: TextDocumentSyncKind.Incremental, hoverProvider: true, definitionProvider: true, referencesProvider: true, documentHighlightProvider: true,
          renameProvider: { prepareProvider: true }, documentSymbolProvider: true, workspaceSymbolProvider: true, foldingRangeProvider: true, documentFormattingProvider: true,
          codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix, CodeActionKind.SourceFixAll] }, completionProvider: { triggerCharacters: ['.', ':', '>'] },
          signatureHelpProvider: { triggerCharacters: ['(', ','] }, inlayHintProvider: true,
          semanticTokensProvider: { legend: { tokenTypes: [...tokenKinds], tokenModifiers: [...tokenMarks] }, full: true },
        },
      }
    })
    documents.onDidChangeContent(({ document }) => this.soon(document.uri))
    documents.onDidClose(({ document }) => {
      this.forget()
      void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] })
    })
    connection.onDidChangeWatchedFiles(() => {
      this.forget()
      for (const { uri } of documents.all()) this.soon(uri)
    })
    this.answerNames()
    this.answerText()
    documents.listen(connection)
    connection.listen()
  }

  /** What is answered from where names stand. */
  private answerNames(): void {
    const { connection } = this
    connection.onHover(({ textDocument, position }) => this.at(textDocument.uri, position, (file, path, all, offset) => {
      const hover = hoverAt(file, path, all, offset)
      return hover === null ? null : { contents: { kind: MarkupKind.Markdown, value: hover.markdown }, range: this.rangeOf(file, hover.at) }
    }))
    connection.onDefinition(({ textDocument, position }) => this.at(textDocument.uri, position, (file, _path, all, offset) => {
      const place = occurrenceAt(all, offset)?.target.declaredAt ?? null
      return place === null ? null : this.locationOf(file, place)
    }))
    connection.onDocumentHighlight(({ textDocument, position }) => this.at(textDocument.uri, position, (file, _path, all, offset) => {
      const found = occurrenceAt(all, offset)
      return found === null ? [] : all.filter(each => keyOf(each.target) === keyOf(found.target)).map(({ at }) => ({ range: this.rangeOf(file, at) }))
    }))
    connection.onReferences(({ textDocument, position, context }) => this.everywhere(textDocument.uri, position, (file, found, all) => {
      const isDeclaration = (place: Place): boolean => place.path === found.target.declaredAt?.path && place.start === found.target.declaredAt.start
      return placesOf(found.target, all).filter(place => context.includeDeclaration || !isDeclaration(place)).map(place => this.locationOf(file, place))
    }))
    connection.onPrepareRename(({ textDocument, position }) => this.everywhere(textDocument.uri, position, (file, found, all) => {
      const problem = renameProblem(found.target, null, all)
      if (problem !== null) throw new ResponseError(LSPErrorCodes.RequestFailed, problem)
      return { range: this.rangeOf(file, found.at), placeholder: found.target.name }
    }))
    connection.onRenameRequest(({ textDocument, position, newName }) => this.everywhere(textDocument.uri, position, (file, found, all) => {
      const problem = renameProblem(found.target, newName, all)
      if (problem !== null) throw new ResponseError(LSPErrorCodes.RequestFailed, problem)
      return this.editOf(file, placesOf(found.target, all).map(at => ({ at, newText: newName })))
    }))
    connection.languages.semanticTokens.on(async ({ textDocument }) => {
      const builder = new SemanticTokensBuilder()
      const [file, path] = await this.fresh(textDocument.uri)
      const document = this.documents.get(textDocument.uri)
      if (file === null || document === undefined) return builder.build()
      for (const { start, length, kind, marks } of coloursOf(occurrencesIn(file, path))) {
        const { line, character } = document.positionAt(start)
        builder.push(line, character, length, tokenKinds.indexOf(kind), marks.reduce((bits, mark) => bits | (1 << tokenMarks.indexOf(mark)), 0))
      }
      return builder.build()
    })
  }

  /** What is answered from the text and what was checked. */
  private answerText(): void {
    const { connection } = this
    connection.onCompletion(({ textDocument, position }) => this.at(textDocument.uri, position, (file, path, _all, offset) => completionsAt(file, path, this.documents.get(textDocument.uri)!.getText(), offset).map(each => ({
      label: each.label, kind: completionKinds[each.kind], detail: each.detail, ...(each.doc === '' ? {} : { documentation: { kind: MarkupKind.Markdown, value: each.doc } }),
      ...(each.snippet === undefined ? {} : { insertText: each.snippet, insertTextFormat: InsertTextFormat.Snippet }),
    }))))
    connection.onSignatureHelp(({ textDocument, position }) => this.at(textDocument.uri, position, (file, path, _all, offset) => {
      const help = callHelpAt(file, path, offset)
      return help === null ? null : { signatures: [{ label: help.label, documentation: help.doc, parameters: help.params.map(({ label, doc }) => ({ label, documentation: doc })) }], activeSignature: 0, activeParameter: help.active }
    }))
    connection.languages.inlayHint.on(async ({ textDocument, range }) => {
      const [file, path] = await this.fresh(textDocument.uri)
      const document = this.documents.get(textDocument.uri)
      if (file === null || document === undefined) return []
      const [from, to] = [document.offsetAt(range.start), document.offsetAt(range.end)]
      return hintsOf(file, path).filter(({ offset }) => from <= offset && offset <= to).map(({ offset, text, kind }) => ({ position: document.positionAt(offset), label: text, ...(kind === 'type' ? { kind: InlayHintKind.Type } : {}) }))
    })
    connection.onDocumentSymbol(({ textDocument }) => {
      const document = this.documents.get(textDocument.uri)
      return document === undefined ? [] : outlineOf({ path: '', text: document.getText() }, this.cache).map(each => symbolOf(document, each))
    })
    connection.onWorkspaceSymbol(async ({ query }) => {
      const wanted = query.toLowerCase()
      const found = (await this.project()).flatMap(([path, file]) => outlineOf({ path, text: file.sources.get(path) ?? '' }, this.cache).map(entry => ({ entry, file })))
      return found.filter(({ entry }) => entry.name.toLowerCase().includes(wanted)).slice(0, MAX_SYMBOLS).map(({ entry, file }) => ({ name: entry.name, kind: symbolKinds[entry.kind], location: this.locationOf(file, entry.nameAt) }))
    })
    connection.onFoldingRanges(({ textDocument }) => {
      const document = this.documents.get(textDocument.uri)
      return document === undefined ? [] : foldsOf({ path: '', text: document.getText() }, this.cache).map(({ start, end, kind }) => ({
        startLine: document.positionAt(start).line, endLine: document.positionAt(end).line, ...(kind === 'comment' ? { kind: FoldingRangeKind.Comment } : {}),
      }))
    })
    connection.onDocumentFormatting(({ textDocument }) => {
      const document = this.documents.get(textDocument.uri)
      if (document === undefined) return []
      const text = document.getText()
      const { value } = format({ path: this.shown(textDocument.uri) ?? '', text })
      return value === text ? [] : [{ range: { start: { line: 0, character: 0 }, end: document.positionAt(text.length) }, newText: value }]
    })
    connection.onCodeAction(async ({ textDocument, range, context }) => {
      const [file, path] = await this.fresh(textDocument.uri)
      const document = this.documents.get(textDocument.uri)
      if (file === null || document === undefined) return []
      const [from, to] = [document.offsetAt(range.start), document.offsetAt(range.end)]
      const here = file.diagnostics.filter(({ at }) => at?.path === path && at.start <= to && from <= at.end)
      const actions = here.flatMap(each => each.fixes.map(fix => ({
        title: fix.title, kind: CodeActionKind.QuickFix, isPreferred: fix.safe, diagnostics: [this.lspDiagnostic(file, each)], edit: this.editOf(file, fix.edits),
      })))
      return context.only === undefined ? actions : actions.filter(({ kind }) => context.only!.some(only => kind === only || kind.startsWith(`${only}.`)))
    })
  }

  /** Checks a document when nothing was typed for a moment. // G1 */
  private soon(uri: string): void {
    this.forget()
    clearTimeout(this.timers.get(uri))
    this.timers.set(uri, setTimeout(() => {
      this.timers.delete(uri)
      void this.publish(uri)
    }, QUIET_MS))
  }

  private async publish(uri: string): Promise<void> {
    const [file, path] = await this.fresh(uri)
    const document = this.documents.get(uri)
    if (file === null || document === undefined) return
    const own = file.diagnostics.filter(({ at }) => at === undefined || at.path === path)
    this.published.set(path, own)
    void this.connection.sendDiagnostics({ uri, version: document.version, diagnostics: own.map(each => this.lspDiagnostic(file, each)) })
  }

  /** Every check may be of older text. */
  private forget(): void {
    this.checked.clear()
  }

  /** What checking the newest text of a document found. // G2 */
  private async fresh(uri: string): Promise<[CheckedFile | null, string]> {
    const path = this.shown(uri)
    return path === null ? [null, ''] : [await this.checkOf(path), path]
  }

  private checkOf(path: string): Promise<CheckedFile | null> {
    const work = this.queue.then(async () => {
      const known = this.checked.get(path)
      if (known !== undefined) return known
      this.host ??= this.openHost(this.cwd)
      const host = await this.host
      const texts = new Map(this.documents.all().flatMap(document => {
        const shown = this.shown(document.uri)
        return shown === null ? [] : [[shown, document] as const]
      }))
      const versions = [...texts.values()].map(each => each.version).join()
      const file = await check(host, path, { cache: this.cache, readText: asked => texts.get(asked)?.getText() })
      if (versions === [...texts.values()].map(each => each.version).join()) this.checked.set(path, file) // G1
      return file
    })
    this.queue = work.catch(() => {})
    return work.catch((error: unknown) => {
      this.connection.console.error(`This is a bug in tek: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      return null
    })
  }

  private async at<Answer>(uri: string, position: { line: number; character: number }, answer: (file: CheckedFile, path: string, all: readonly Occurrence[], offset: number) => Answer): Promise<Answer | null> {
    const [file, path] = await this.fresh(uri)
    const document = this.documents.get(uri)
    return file === null || document === undefined ? null : answer(file, path, occurrencesIn(file, path), document.offsetAt(position))
  }

  /** With the occurrences of the whole project. */
  private async everywhere<Answer>(uri: string, position: { line: number; character: number }, answer: (file: CheckedFile, found: Occurrence, all: readonly Occurrence[]) => Answer): Promise<Answer | null> {
    const [file, path] = await this.fresh(uri)
    const document = this.documents.get(uri)
    const found = file === null || document === undefined ? null : occurrenceAt(occurrencesIn(file, path), document.offsetAt(position))
    if (file === null || found === null) return null
    return answer(file, found, (await this.project()).flatMap(([each, checked]) => occurrencesIn(checked, each))) // open documents are part of the project
  }

  /** Every file of the project with its check. // G4 */
  private async project(): Promise<[string, CheckedFile][]> {
    const open = this.documents.all().flatMap(({ uri }) => this.shown(uri) ?? [])
    const paths = new Set([...open, ...tekFiles(this.cwd)])
    const found: [string, CheckedFile][] = []
    for (const path of paths) {
      const file = await this.checkOf(path)
      if (file !== null) found.push([path, file])
    }
    return found
  }

  /** The path under which the checker knows a document; null for one that is no file. */
  private shown(uri: string): string | null {
    if (!uri.startsWith('file:')) return null
    const path = relative(this.cwd, fileURLToPath(uri))
    return path.startsWith(`..${sep}`) ? fileURLToPath(uri) : path.split(sep).join('/')
  }

  private uriOf(path: string): string {
    const absolute = resolve(this.cwd, path)
    return this.documents.all().find(({ uri }) => uri.startsWith('file:') && fileURLToPath(uri) === absolute)?.uri ?? pathToFileURL(absolute).href
  }

  private rangeOf(file: CheckedFile, { path, start, end }: Place): Range {
    const open = this.documents.get(this.uriOf(path))
    const document = open ?? TextDocument.create('', 'tek', 0, file.sources.get(path) ?? '')
    return { start: document.positionAt(start), end: document.positionAt(end) }
  }

  private locationOf(file: CheckedFile, place: Place): Location {
    return { uri: this.uriOf(place.path), range: this.rangeOf(file, place) }
  }

  private editOf(file: CheckedFile, edits: readonly TextEdit[]): WorkspaceEdit {
    const changes: Record<string, { range: Range; newText: string }[]> = {}
    for (const { at, newText } of edits) (changes[this.uriOf(at.path)] ??= []).push({ range: this.rangeOf(file, at), newText })
    return { changes }
  }

  private lspDiagnostic(file: CheckedFile, each: Diagnostic): LspDiagnostic {
    const range = each.at === undefined ? { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } } : this.rangeOf(file, each.at)
    return {
      range, message: [each.message, ...each.help.map(line => `help: ${line}`)].join('\n'), code: each.code, source: 'tek', severity: severities[each.severity],
      ...(each.code.endsWith('/unused') ? { tags: [DiagnosticTag.Unnecessary] } : {}),
      relatedInformation: each.related.map(({ at, message }) => ({ location: this.locationOf(file, at), message })),
    }
  }
}

const severities = { error: DiagnosticSeverity.Error, warning: DiagnosticSeverity.Warning, info: DiagnosticSeverity.Information } as const

const completionKinds: Readonly<Record<CompletionKind, CompletionItemKind>> = {
  keyword: CompletionItemKind.Keyword, snippet: CompletionItemKind.Snippet, function: CompletionItemKind.Function, module: CompletionItemKind.Module, task: CompletionItemKind.Variable,
  param: CompletionItemKind.Variable, const: CompletionItemKind.Constant, type: CompletionItemKind.Interface, workflow: CompletionItemKind.Function, agent: CompletionItemKind.Class,
  model: CompletionItemKind.Value, prompt: CompletionItemKind.Function, capability: CompletionItemKind.Property, secret: CompletionItemKind.Value, loop: CompletionItemKind.Class, grant: CompletionItemKind.Property,
}

const symbolKinds: Readonly<Record<OutlineKind, SymbolKind>> = {
  module: SymbolKind.Module, type: SymbolKind.Interface, const: SymbolKind.Constant, secret: SymbolKind.Key, capability: SymbolKind.Property, model: SymbolKind.Object, prompt: SymbolKind.String,
  workflow: SymbolKind.Function, agent: SymbolKind.Class, loop: SymbolKind.Class, test: SymbolKind.Method, task: SymbolKind.Variable, param: SymbolKind.Variable, field: SymbolKind.Field, stage: SymbolKind.Method,
}

function symbolOf(document: TextDocument, { name, kind, at, nameAt, children }: OutlineEntry): DocumentSymbol {
  const range = (place: Place): Range => ({ start: document.positionAt(place.start), end: document.positionAt(place.end) })
  return { name: name === '' ? '?' : name, kind: symbolKinds[kind], range: range(at), selectionRange: range(nameAt), children: children.map(each => symbolOf(document, each)) }
}

/** Programs beneath a folder, relative to it. // G4 */
function tekFiles(folder: string): string[] {
  const found: string[] = []
  const folders = ['']
  for (let at = folders.pop(); at !== undefined && found.length < MAX_FILES; at = folders.pop()) {
    let entries
    try {
      entries = readdirSync(join(folder, at), { withFileTypes: true })
    } catch {
      continue // gone, or not ours to read
    }
    for (const entry of entries) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`
      if (entry.isDirectory() && !LEFT_OUT.has(entry.name) && folders.length < MAX_FILES) folders.push(path)
      else if (entry.isFile() && entry.name.endsWith('.tek')) found.push(path)
    }
  }
  return found.slice(0, MAX_FILES).sort()
}
