// A small set of modules, shaped as the real ones are, so that the compiler's tests need no plugin.
import type { GrantSignature } from '#model/capability.ts'
import type { FunctionSignature, GrantNeed, ModuleSignature, ParamSignature } from '#model/signature.ts'
import type { Type } from '#model/type.ts'

const string: Type = { kind: 'string' }
const int: Type = { kind: 'int' }
const bool: Type = { kind: 'bool' }
const path: Type = { kind: 'path' }
const list = (item: Type): Type => ({ kind: 'list', item })
const optional = (type: Type): Type => ({ kind: 'union', members: [type, { kind: 'null' }] })
const record = (fields: Record<string, Type>): Type => ({
  kind: 'record', fields: Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, { type, optional: false }])),
})

type Param = [name: string, type: Type, ...marks: ('optional' | 'rest' | 'sink' | 'secret')[]]

function fn(name: string, effect: FunctionSignature['effect'], params: Param[], result: Type, more: { needs?: GrantNeed[]; untrusted?: boolean } = {}): FunctionSignature {
  const made = params.map(([name, type, ...marks]): ParamSignature => ({
    name, doc: '', type, optional: marks.includes('optional'), ...(marks.includes('rest') ? { rest: true } : {}), ...(marks.includes('sink') ? { sink: true } : {}), ...(marks.includes('secret') ? { secret: true } : {}),
  }))
  return { name, doc: '', params: made, result, effect, runs: 'host', needs: more.needs ?? [], untrusted: more.untrusted ?? false }
}

const need = (grant: string, ...params: string[]): GrantNeed => ({ grant, args: params.map(param => ({ param })) })
const grant = (name: string, access: 'read' | 'write', ...params: GrantSignature['params']): GrantSignature => ({ name, doc: '', params, implies: [], access })

function module(name: string, functions: FunctionSignature[], more: Partial<ModuleSignature> = {}): ModuleSignature {
  return {
    version: 1, name, origin: 'std', release: '1.0.0', doc: '', hash: `hash-of-${name}`, functions: Object.fromEntries(functions.map(each => [each.name, each])),
    types: {}, grants: {}, models: {}, constants: {}, ...more,
  }
}

const packageType = record({ name: string, minor: string, latest: string, licence: string, ageDays: int })
const upgrade = record({ package: string, to: string, licence: string, ageDays: int })

export const stdModules: Readonly<Record<string, ModuleSignature>> = {
  fs: module('fs', [
    fn('read', 'read', [['path', path]], string, { needs: [need('fs.read', 'path')], untrusted: true }),
    fn('glob', 'read', [['pattern', string]], list(path), { needs: [need('fs.read', 'pattern')] }),
    fn('exists', 'read', [['path', path]], bool, { needs: [need('fs.read', 'path')] }),
    fn('write', 'write', [['path', path, 'sink'], ['text', string]], { kind: 'null' }, { needs: [need('fs.write', 'path')] }),
    fn('append', 'write', [['path', path, 'sink'], ['text', string]], { kind: 'null' }, { needs: [need('fs.write', 'path')] }),
  ], { grants: { read: grant('read', 'read', { name: 'pattern', kind: 'path' }), write: grant('write', 'write', { name: 'pattern', kind: 'path' }) }, types: { Stat: record({ size: { kind: 'size' } }) } }),
  text: module('text', [
    fn('count', 'pure', [['text', string], ['part', string]], int),
    fn('grep', 'read', [['files', list(path)], ['pattern', string]], list(record({ file: path, line: int, text: string })), { untrusted: true }),
  ]),
  path: module('path', [fn('of', 'pure', [['text', string]], path)], { constants: { separator: { type: string, value: '/', doc: '' } } }),
  http: module('http', [
    fn('get', 'read', [['url', { kind: 'url' }, 'sink'], ['headers', { kind: 'map', value: string }, 'optional', 'sink', 'secret'], ['bearer', string, 'optional', 'secret']], record({ ok: bool, status: int, body: { kind: 'untrusted', of: string } }), { needs: [need('net', 'url')] }),
    fn('getJson', 'read', [['url', { kind: 'url' }, 'sink'], ['headers', { kind: 'map', value: string }, 'optional', 'sink', 'secret'], ['bearer', string, 'optional', 'secret']], { kind: 'json' }, { needs: [need('net', 'url')], untrusted: true }),
    fn('post', 'write', [['url', { kind: 'url' }, 'sink'], ['body', string], ['bearer', string, 'optional', 'secret']], record({ ok: bool, status: int, body: { kind: 'untrusted', of: string } }), { needs: [need('net', 'url')] }),
  ]),
  json: module('json', [fn('parse', 'pure', [['text', string]], { kind: 'json' }), fn('print', 'pure', [['value', { kind: 'any' }]], string)]),
  shell: module('shell', [
    fn('run', 'write', [['program', string, 'sink'], ['args', string, 'rest', 'sink']], record({ ok: bool, stdout: string, exitCode: int }), { needs: [need('exec', 'program', 'args')], untrusted: true }),
    fn('runWith', 'write', [['program', string, 'sink'], ['args', list(string), 'sink'], ['env', { kind: 'map', value: string }, 'optional', 'sink', 'secret']], record({ ok: bool, stdout: string, exitCode: int }), { needs: [need('exec', 'program', 'args')], untrusted: true }),
  ]),
  list: module('list', [fn('chunk', 'pure', [['list', list({ kind: 'variable', name: 'T' })], ['size', int]], list(list({ kind: 'variable', name: 'T' })))]),
  npm: module('npm', [
    fn('outdated', 'read', [['dir', path]], list(packageType)),
    fn('size', 'read', [['dir', path]], int),
    fn('upgrade', 'pure', [['package', packageType], ['to', string]], upgrade),
    fn('noStricter', 'pure', [['licence', string], ['than', string]], bool),
    fn('install', 'write', [['package', string], ['to', string], ['scripts', bool, 'optional']], record({ ok: bool })),
    fn('test', 'write', [], record({ ok: bool, firstFailure: optional(string) })),
  ]),
  team: module('team', [
    fn('send', 'read', [['to', string], ['text', string]], string),
    fn('receive', 'read', [], string),
    fn('listen', 'read', [['topic', string]], string),
    fn('vote', 'read', [['question', string], ['options', list(string)]], record({ votes: list(record({ agent: string, choice: string })), winner: optional(string) })),
    fn('askLead', 'read', [['question', string]], string),
  ]),
  git: module('git', [
    fn('log', 'read', [['dir', path, 'optional']], list(record({ sha: string, subject: { kind: 'untrusted', of: string }, date: int })), { needs: [need('git.read', 'dir')] }),
    fn('commit', 'write', [['message', string], ['branch', string, 'optional']], string, { needs: [{ grant: 'git.branch', args: [{ param: 'branch' }] }] }),
  ], { grants: { read: grant('read', 'read', { name: 'dir', kind: 'path' }), worktree: grant('worktree', 'write', { name: 'dir', kind: 'path' }), branch: grant('branch', 'write', { name: 'name', kind: 'path' }) } }),
}

/** A plugin, as `use plugin "./jira.ts" as j` would give it. */
export const jira: ModuleSignature = module('jira', [
  fn('slug', 'pure', [['title', string]], string),
  fn('issue', 'read', [['key', string]], record({ title: string }), { needs: [need('jira.read', 'key')], untrusted: true }),
], { origin: 'plugin', grants: { read: grant('read', 'read', { name: 'key', kind: 'path' }) }, hash: 'hash-of-jira' })

/** A server of the Model Context Protocol, as `use mcp "files" as files` would give it. */
export const filesServer: ModuleSignature = module('files', [
  fn('find', 'write', [['query', string], ['limit', int, 'optional']], { kind: 'untrusted', of: string }, { needs: [{ grant: 'mcp', args: [{ literal: 'files' }] }], untrusted: true }),
], { origin: 'mcp', hash: 'hash-of-files' })
