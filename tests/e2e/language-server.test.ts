// `tek lsp` as an editor starts it: a real client of the protocol over stdio, the built binary, a folder of its own.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  CodeActionRequest, CompletionRequest, createProtocolConnection, DefinitionRequest, type Diagnostic, DidChangeTextDocumentNotification, DidOpenTextDocumentNotification, DocumentFormattingRequest,
  DocumentHighlightRequest, DocumentSymbolRequest, ExitNotification, FoldingRangeRequest, HoverRequest, InitializedNotification, InitializeRequest, InlayHintRequest, type Location, PrepareRenameRequest,
  type ProtocolConnection, PublishDiagnosticsNotification, ReferencesRequest, RenameRequest, SemanticTokensRequest, ShutdownRequest, SignatureHelpRequest, StreamMessageReader, StreamMessageWriter,
  type TextEdit, WorkspaceSymbolRequest,
} from 'vscode-languageserver-protocol/node'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { binary } from './binary.ts'

const shared = '/// Doubles.\nworkflow double(value: int) -> int {\n  return value * 2\n}\n'
const main = 'use "./shared.tek" (double)\n\nworkflow main(start: int = 1) -> int {\n  task first = double(start)\n  task second = double(value: first)\n  return first + second\n}\n'

let folder = ''
let child: ChildProcessWithoutNullStreams
let client: ProtocolConnection
let seen = new Map<string, { version: number | undefined; diagnostics: Diagnostic[] }>()
const arrivals: (() => void)[] = []

/** Everything that lies in the folder. */
const lying = (): [string, string][] => readdirSync(folder, { recursive: true, withFileTypes: true }).map(each => [join(each.parentPath, each.name), each.isFile() ? readFileSync(join(each.parentPath, each.name), 'utf8') : ''])
let before: [string, string][] = []

const uriOf = (path: string): string => pathToFileURL(join(folder, path)).href

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tek lsp '))
  seen = new Map()
  mkdirSync(join(folder, 'node_modules'))
  writeFileSync(join(folder, 'shared.tek'), shared)
  writeFileSync(join(folder, 'main.tek'), main)
  writeFileSync(join(folder, 'node_modules', 'other.tek'), 'workflow notOurs() {\n  return 1\n}\n')
  before = lying()
  child = spawn(process.execPath, [binary, 'lsp', '--stdio'], { cwd: tmpdir(), env: { PATH: process.env['PATH'], HOME: tmpdir() } })
  client = createProtocolConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin))
  client.onNotification(PublishDiagnosticsNotification.type, ({ uri, version, diagnostics }) => {
    seen.set(uri, { version, diagnostics })
    for (const arrived of arrivals.splice(0)) arrived()
  })
  client.listen()
  const { capabilities } = await client.sendRequest(InitializeRequest.type, { processId: process.pid, rootUri: pathToFileURL(folder).href, capabilities: {} })
  expect(capabilities.hoverProvider).toBe(true)
  await client.sendNotification(InitializedNotification.type, {})
})

afterEach(async () => {
  const ended = new Promise<number | null>(resolve => child.on('exit', resolve))
  await client.sendRequest(ShutdownRequest.type)
  await client.sendNotification(ExitNotification.type)
  expect(await ended).toBe(0)
  client.dispose()
  expect(lying()).toEqual(before) // whatever was asked of it, it has only read
  rmSync(folder, { recursive: true, force: true })
})

/** What is published of this version of a document. */
async function diagnosticsOf(path: string, version: number): Promise<Diagnostic[]> {
  for (;;) {
    const found = seen.get(uriOf(path))
    if (found?.version === version) return found.diagnostics
    await new Promise<void>(resolve => arrivals.push(resolve))
  }
}

async function open(path: string, text: string): Promise<TextDocument> {
  await client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument: { uri: uriOf(path), languageId: 'tek', version: 1, text } })
  return TextDocument.create(uriOf(path), 'tek', 1, text)
}

/** The place of the first `marked` in a document, `|` in it being the cursor. */
function at(document: TextDocument, marked: string): { textDocument: { uri: string }; position: { line: number; character: number } } {
  const offset = document.getText().indexOf(marked.replace('|', '')) + marked.indexOf('|')
  return { textDocument: { uri: document.uri }, position: document.positionAt(offset) }
}

const whole = (document: TextDocument): { start: { line: number; character: number }; end: { line: number; character: number } } => ({ start: { line: 0, character: 0 }, end: document.positionAt(document.getText().length) })

test('diagnostics follow what is typed, and a fix mends the text', async () => {
  const broken = main.replace('double(start)', 'duoble(start)')
  const document = await open('main.tek', broken)
  const [found] = await diagnosticsOf('main.tek', 1)
  expect(found).toMatchObject({ code: 'name/unknown-value', source: 'tek', severity: 1 })
  expect(document.getText(found!.range)).toBe('duoble')
  const actions = await client.sendRequest(CodeActionRequest.type, { textDocument: { uri: document.uri }, range: found!.range, context: { diagnostics: [found!] } })
  const [fix] = actions as { title: string; edit: { changes: Record<string, TextEdit[]> } }[]
  expect(fix!.title).toContain('double')
  expect(TextDocument.applyEdits(document, fix!.edit.changes[document.uri]!)).toBe(main)
  await client.sendNotification(DidChangeTextDocumentNotification.type, { textDocument: { uri: document.uri, version: 2 }, contentChanges: [{ range: found!.range, text: 'double' }] })
  expect(await diagnosticsOf('main.tek', 2)).toEqual([])
})

test('what is typed in one file is seen in the others, before it is saved', async () => {
  const document = await open('main.tek', main)
  expect(await diagnosticsOf('main.tek', 1)).toEqual([])
  await open('shared.tek', shared.replace('double(', 'triple('))
  await diagnosticsOf('shared.tek', 1)
  await client.sendNotification(DidChangeTextDocumentNotification.type, { textDocument: { uri: document.uri, version: 2 }, contentChanges: [{ text: `${main}\n` }] })
  expect((await diagnosticsOf('main.tek', 2)).map(each => each.code)).toContain('name/unknown-export')
})

test('only the newest of many fast changes is told of', async () => {
  const document = await open('main.tek', main)
  for (let version = 2; version <= 50; version++) await client.sendNotification(DidChangeTextDocumentNotification.type, { textDocument: { uri: document.uri, version }, contentChanges: [{ text: version === 50 ? main : 'workflow (' }] })
  expect(await diagnosticsOf('main.tek', 50)).toEqual([])
})

test('hover, definition, highlights, references and rename, across files', async () => {
  const document = await open('main.tek', main)
  const hover = await client.sendRequest(HoverRequest.type, at(document, 'dou|ble(start)'))
  expect((hover!.contents as { value: string }).value).toBe('```tek\nworkflow double(value: int) -> int\n```\n\nDoubles.')
  const definition = (await client.sendRequest(DefinitionRequest.type, at(document, 'dou|ble(start)'))) as Location
  expect(definition).toEqual({ uri: uriOf('shared.tek'), range: { start: { line: 1, character: 9 }, end: { line: 1, character: 15 } } })
  expect(await client.sendRequest(DocumentHighlightRequest.type, at(document, 'return fir|st'))).toHaveLength(3)
  const references = await client.sendRequest(ReferencesRequest.type, { ...at(document, 'dou|ble(start)'), context: { includeDeclaration: false } })
  expect(references!.map(({ uri, range }) => `${uri === document.uri ? 'main' : 'shared'}:${range.start.line}`).sort()).toEqual(['main:0', 'main:3', 'main:4'])
  expect(await client.sendRequest(PrepareRenameRequest.type, at(document, 'value|: first'))).toMatchObject({ placeholder: 'value' })
  const { changes } = (await client.sendRequest(RenameRequest.type, { ...at(document, 'value|: first'), newName: 'amount' }))!
  expect(TextDocument.applyEdits(document, changes![document.uri]!)).toBe(main.replace('value:', 'amount:'))
  expect(TextDocument.applyEdits(TextDocument.create('', 'tek', 0, shared), changes![uriOf('shared.tek')]!)).toBe(shared.replaceAll('value', 'amount'))
  await expect(client.sendRequest(RenameRequest.type, { ...at(document, 'value|: first'), newName: 'task' })).rejects.toThrow('is a word of the language')
})

test('completion, help with a call, hints, colours, outline, folds, formatting, symbols of the project', async () => {
  const text = main.replace('  return', '  task third = fs.glob(double(1)\n  return').replace('task first =', 'task first=')
  const document = await open('main.tek', text)
  const completions = (await client.sendRequest(CompletionRequest.type, at(document, 'fs.|glob'))) as { label: string }[]
  expect(completions.map(each => each.label)).toContain('glob')
  const help = await client.sendRequest(SignatureHelpRequest.type, at(document, 'double(st|art)'))
  expect(help!.signatures[0]!.label).toBe('double(value: int)')
  const good = await open('good.tek', main)
  const hints = await client.sendRequest(InlayHintRequest.type, { textDocument: { uri: good.uri }, range: whole(good) })
  expect(hints!.map(each => each.label)).toEqual([': int', ': int', ' after first'])
  expect((await client.sendRequest(SemanticTokensRequest.type, { textDocument: { uri: good.uri } }))!.data.length % 5).toBe(0)
  const outline = (await client.sendRequest(DocumentSymbolRequest.type, { textDocument: { uri: good.uri } })) as { name: string; children: { name: string }[] }[]
  expect(outline.map(each => [each.name, each.children.map(({ name }) => name)])).toEqual([['main', ['first', 'second']]])
  expect(await client.sendRequest(FoldingRangeRequest.type, { textDocument: { uri: good.uri } })).toEqual([{ startLine: 2, endLine: 6 }])
  const ugly = await open('ugly.tek', main.replace('task first =', 'task first='))
  const edits = await client.sendRequest(DocumentFormattingRequest.type, { textDocument: { uri: ugly.uri }, options: { tabSize: 2, insertSpaces: true } })
  expect(TextDocument.applyEdits(ugly, edits!)).toBe(main)
  const symbols = await client.sendRequest(WorkspaceSymbolRequest.type, { query: 'DOUB' })
  expect(symbols!.map(each => each.name)).toEqual(['double'])
  expect(await client.sendRequest(WorkspaceSymbolRequest.type, { query: 'notOurs' })).toEqual([])
})

test('text that is no program, and places that are nowhere, are answered', async () => {
  const document = await open('main.tek', '\u0000 workflow ((((\n"${')
  expect((await diagnosticsOf('main.tek', 1)).length).toBeGreaterThan(0)
  const nowhere = { textDocument: { uri: document.uri }, position: { line: 900, character: 900 } }
  expect(await client.sendRequest(HoverRequest.type, nowhere)).toBeNull()
  expect(await client.sendRequest(CompletionRequest.type, nowhere)).toBeInstanceOf(Array)
  expect(await client.sendRequest(HoverRequest.type, { textDocument: { uri: 'untitled:Untitled-1' }, position: { line: 0, character: 0 } })).toBeNull()
})
