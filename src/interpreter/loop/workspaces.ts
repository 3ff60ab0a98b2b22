// Workspaces: where candidates of a loop work, and how the winner's files become the champion's.
// Owns: the folders beneath .tek/work and .tek/versions, the order of a switch and what brings one to its end after a crash. Does not own: which
// candidate wins (the cycle), copying and exchanging (host/trees.ts), git (workspace-git.ts).
//   W1. A candidate works on its own files: a copy, or a commit's files without `.git`. What it does there reaches neither the champion nor the repository.
//   W2. What is promoted is what was tried: where the champion's files are no longer those that the candidate began with, nothing is switched.
//   W3. A switch is intended in the journal before it begins and recorded with the new version, in one transaction, when it is over. Whoever asks again after
//       a crash finds by hashes how far it got. A copy is exchanged in one step (host/trees.ts T3), a branch moves by compare-and-swap: what is seen is the old
//       champion or the new one.
//   W4. The files of every version are kept, the last MAX_KEPT_TREES of them, and a restored version has the hash that it was recorded with.
//   W5. Workspaces of a cycle go when it ends, however it ends.
import { dirname, join, relative, resolve } from 'node:path'
import { sha256 } from '#base/hash.ts'
import { canonicalJson } from '#base/json.ts'
import { loopErrors } from '#diagnostics/catalog/loop.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { type Host, HostError, type HostTrees } from '#host/host.ts'
import type { Value } from '#model/type.ts'
import { ToolFailure } from '#plugin-api/context.ts'
import { WORKSPACES } from '#interpreter/engine/workspace.ts'
import type { LoopStore } from '#interpreter/journal/loops.ts'
import { GitBranch } from './workspace-git.ts'

/** Files of versions that are kept, the newest; those of the champion lie where it works. */
export const MAX_KEPT_TREES = 20
const VERSIONS = '.tek/versions'
/** No part of a workspace: they steer tek. */
const LEFT_OUT = { leftOut: ['.tek'] }

/** As a cycle gives it. */
export interface Over {
  readonly kind: 'git' | 'copy'
  readonly path: string
}

/** What is recorded of the files of a version. */
export interface Content extends Over {
  /** A hash, or a commit. */
  readonly is: string
}

export interface WorkspaceSettings {
  readonly host: Host
  readonly store: LoopStore
  readonly key: string
  /** Of the loop. */
  readonly name: string
  /** Accepted by name: git may run unconfined where the machine has no sandbox. */
  readonly mayBeUnconfined: boolean
}

interface Begun {
  /** What the champion was when the workspace was made. */
  readonly base: string
}

/** The workspaces of one loop. */
export class Workspaces {
  private readonly settings: WorkspaceSettings
  private readonly slug: string

  constructor(settings: WorkspaceSettings) {
    this.settings = settings
    this.slug = slugOf(settings.name, settings.key)
  }

  /** Makes the workspace of a candidate, anew where it was begun before: relative to the project's folder. // W1 */
  async open(cycle: number, index: number, over: Over): Promise<string> {
    const shown = `${WORKSPACES}/${this.slug}/${cycle}-${index}`
    const folder = this.at(shown)
    await this.remove(folder)
    const place = this.placeOf(over)
    let base: string
    if (over.kind === 'git') base = await this.git(place).checkOut(folder, over.path)
    else {
      const trees = await this.trees()
      await this.expectFolder(place, over.path)
      base = await trees.hashTree(place, LEFT_OUT)
      await trees.copyTree(place, join(folder, over.path), LEFT_OUT)
      if ((await trees.hashTree(join(folder, over.path), LEFT_OUT)) !== base) throw failure(loopErrors['champion-changed']({ path: over.path }), true)
    }
    await this.settings.host.files.writeAtomic(this.begunPath(folder), JSON.stringify({ base } satisfies Begun))
    return shown
  }

  /** The winner's files become the champion's: what is recorded of the new version. // W2 W3 */
  async promote(runId: string, workspace: string, over: Over, atMs: number, message: string): Promise<{ readonly content: string; readonly origin: string }> {
    const { store, key } = this.settings
    const folder = this.at(workspace)
    const place = this.placeOf(over)
    const base = await this.baseOf(folder)
    if (over.kind === 'git') {
      const commit = await this.git(place).commit(folder, over.path, base, atMs, message)
      if (commit === null) throw failure(loopErrors['champion-changed']({ path: over.path }))
      return { content: contentText({ ...over, is: commit }), origin: contentText({ ...over, is: base }) }
    }
    const trees = await this.trees()
    const made = join(folder, over.path)
    const intended = store.intent(key)
    const begun = intended?.runId === runId ? (JSON.parse(intended.body) as { readonly is: string }) : null
    const is = begun?.is ?? (await trees.hashTree(made, LEFT_OUT))
    if (begun === null) {
      if ((await trees.hashTree(place, LEFT_OUT)) !== base) throw failure(loopErrors['champion-changed']({ path: over.path })) // W2
      store.setIntent(key, { runId, body: JSON.stringify({ is }) })
    }
    await this.exchange(trees, place, made, base, is, `${folder}.spare`)
    const parent = store.champion(key)?.version ?? 0
    if (base !== is) await this.keepTree(made, parent)
    return { content: contentText({ ...over, is }), origin: contentText({ ...over, is: base }) }
  }

  /** Whether the champion's files are what they were when a candidate began; null where it has no workspace. */
  async isUntouched(workspace: string, over: Over): Promise<boolean | null> {
    const base = await this.baseOf(this.at(workspace)).catch(() => null)
    if (base === null) return null
    const place = this.placeOf(over)
    return over.kind === 'git' ? (await this.git(place).tip()) === base : (await (await this.trees()).hashTree(place, LEFT_OUT)) === base
  }

  /** An earlier version's files become the champion's again; null, or what stands in the way. // W4 */
  async restore(from: Content, version: number, to: Content): Promise<Diagnostic | null> {
    try {
      return await this.restored(from, version, to)
    } catch (caught) {
      const error = asFailure(caught)
      if (!(error instanceof ToolFailure)) throw error
      return loopErrors['no-workspace']({ path: to.path, reason: error.message })
    }
  }

  private async restored(from: Content, version: number, to: Content): Promise<Diagnostic | null> {
    const place = this.placeOf(to)
    if (to.kind === 'git') return (await this.git(place).move(from.is, to.is)) ? null : loopErrors['champion-changed']({ path: to.path })
    const trees = await this.trees()
    const kept = this.versionPath(version)
    const staged = this.at(`${WORKSPACES}/${this.slug}/restore-${version}`)
    const before = this.settings.store.champion(this.settings.key)?.version ?? 0
    await trees.finishExchange(place, join(staged, to.path), `${staged}.spare`)
    const now = await trees.hashTree(place, LEFT_OUT)
    if (now === to.is) { // done before a crash, or never different
      await this.keepTree(join(staged, to.path), before)
      await this.remove(staged)
      return null
    }
    if (now !== from.is) return loopErrors['champion-changed']({ path: to.path })
    const { files } = this.settings.host
    if ((await files.stat(kept)) === null) return loopErrors['no-workspace']({ path: to.path, reason: `the files of version ${version} are no longer kept` })
    await this.remove(staged)
    await trees.copyTree(kept, join(staged, to.path), LEFT_OUT)
    if ((await trees.hashTree(join(staged, to.path), LEFT_OUT)) !== to.is) return loopErrors['no-workspace']({ path: to.path, reason: `the kept files of version ${version} are damaged` })
    await this.exchange(trees, place, join(staged, to.path), now, to.is, `${staged}.spare`)
    await this.keepTree(join(staged, to.path), before)
    await this.remove(staged)
    return null
  }

  /** Takes the workspaces of this loop away; of one cycle, or all. // W5 */
  async close(cycle: number | null): Promise<void> {
    const folder = this.at(`${WORKSPACES}/${this.slug}`)
    const { files } = this.settings.host
    if (cycle === null) return files.remove(folder)
    const found = await files.list(folder).catch(() => [])
    for (const { name } of found) if (name.startsWith(`${cycle}-`)) await files.remove(join(folder, name))
  }

  private async exchange(trees: HostTrees, place: string, made: string, base: string, is: string, spare: string): Promise<void> {
    if (base === is) return
    await trees.finishExchange(place, made, spare)
    const now = await trees.hashTree(place, LEFT_OUT)
    if (now === is) return // W3
    if (now !== base) throw failure(loopErrors['champion-changed']({ path: relative(this.settings.host.cwd, place) }))
    await trees.exchange(place, made, spare)
  }

  /** The files of a version that is champion no more. */
  private async keepTree(from: string, version: number): Promise<void> {
    const { files } = this.settings.host
    if ((await files.stat(from)) === null) return // kept before a crash
    const kept = this.versionPath(version)
    await files.remove(kept)
    await files.makeDirectory(dirname(kept))
    await files.rename(from, kept)
    const all = await files.list(dirname(kept)).catch(() => [])
    const old = all.map(each => Number(each.name)).filter(Number.isInteger).sort((a, b) => b - a).slice(MAX_KEPT_TREES)
    for (const each of old) await files.remove(this.versionPath(each))
  }

  private placeOf({ path }: Over): string {
    const { cwd } = this.settings.host
    const place = resolve(cwd, path)
    const inside = relative(cwd, place)
    if (inside.startsWith('..') || place === '/' || inside.split('/').includes('.tek')) throw failure(loopErrors['no-workspace']({ path, reason: 'it lies outside of the project' }))
    return place
  }

  private async expectFolder(place: string, path: string): Promise<void> {
    const { host } = this.settings
    if (place === host.cwd) throw failure(loopErrors['no-workspace']({ path, reason: 'the project itself cannot be exchanged as a whole' }))
    if ((await host.files.realPath(place)) !== join(await host.files.realPath(host.cwd), relative(host.cwd, place))) throw failure(loopErrors['no-workspace']({ path, reason: 'a link leads there' }))
    if ((await host.files.stat(place))?.kind !== 'directory') throw failure(loopErrors['no-workspace']({ path, reason: 'there is no such folder' }))
  }

  private git(place: string): GitBranch {
    return new GitBranch(this.settings.host, place, `tek/${this.settings.name}`, this.settings.mayBeUnconfined)
  }

  private async baseOf(folder: string): Promise<string> {
    const bytes = await this.settings.host.files.readBytes(this.begunPath(folder), 10_000)
    return (JSON.parse(new TextDecoder().decode(bytes)) as Begun).base
  }

  private begunPath(folder: string): string {
    return `${folder}.json`
  }

  private versionPath(version: number): string {
    return this.at(`${VERSIONS}/${this.slug}/${version}`)
  }

  private at(shown: string): string {
    return join(this.settings.host.cwd, shown)
  }

  private async remove(folder: string): Promise<void> {
    for (const each of [folder, `${folder}.json`, `${folder}.index`]) await this.settings.host.files.remove(each)
  }

  private async trees(): Promise<HostTrees> {
    const trees = await this.settings.host.trees?.()
    if (trees === undefined) throw failure(loopErrors['no-workspace']({ path: '.', reason: 'this machine keeps none' }))
    return trees
  }
}

/** A name for folders: that of the loop, and what tells it from others of that name. */
export function slugOf(name: string, key: string): string {
  return `${name.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 60)}-${sha256(key).slice(0, 8)}`
}

/** As it is recorded. */
export const contentText = ({ kind, path, is }: Content): string => canonicalJson({ kind, path, is })

export function contentOf(text: string | null): Content | null {
  return text === null ? null : (JSON.parse(text) as Content)
}

export function overOf(value: Value | undefined): Over | null {
  const { kind, path } = (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}) as Readonly<Record<string, Value>>
  return (kind === 'git' || kind === 'copy') && typeof path === 'string' ? { kind, path: path === '' ? '.' : path } : null
}

export function failure({ code, message, help }: Diagnostic, retryable = false): ToolFailure {
  return new ToolFailure(code, message, { retryable, ...(help[0] === undefined ? {} : { help: help[0] }) })
}

/** What the machine says, as the failure of a stage. */
export function asFailure(error: unknown): unknown {
  return error instanceof HostError ? new ToolFailure(`host/${error.code}`, error.message) : error
}
