// Project: the manifests of a project and its workspaces, as they are on disk.
// Owns: which package.json files belong to it, reading and changing what they depend on. Does not own: the lock (lock), npm's own commands (install).
//   J1. Workspaces are those that the lock file lists; without one (or in version 1) the project is its own package.json alone.
//   J2. A changed manifest differs in the changed versions and in nothing else: indentation, order and the end of the file stay.
import { ToolFailure, type ToolContext } from 'tek-lang/plugin'
import { isData, isPackageName, own, readJson } from './lock.ts'
import { parseVersion } from './version.ts'

const MAX_WORKSPACES = 500
const MAX_LOCK_BYTES = 50_000_000
const KINDS = ['dependencies', 'optionalDependencies', 'devDependencies'] as const

export const inside = (folder: string, name: string): string => (folder === '.' ? name : `${folder.replace(/\/+$/, '')}/${name}`)

type Data = { readonly [key: string]: unknown }

export interface Manifest {
  /** Seen from the project, "." its own. */
  readonly folder: string
  readonly text: string
  readonly data: Data
}

export interface Project {
  readonly manifests: readonly Manifest[]
  /** Text of package-lock.json. */
  readonly lock: string | null
  readonly lockVersion: number | null
}

export async function readProject(context: ToolContext, dir: string): Promise<Project> {
  const manifest = async (folder: string): Promise<Manifest> => {
    const text = await context.files.readText(inside(dir, inside(folder, 'package.json')))
    return { folder, text, data: readJson(text, 'package.json') }
  }
  const root = await manifest('.')
  const lockPath = inside(dir, 'package-lock.json')
  const lock = (await context.files.stat(lockPath))?.kind === 'file' ? await context.files.readText(lockPath, { maxBytes: MAX_LOCK_BYTES }) : null
  const data = lock === null ? null : readJson(lock, 'The lock file')
  const version = data === null ? null : Number(own(data, 'lockfileVersion') ?? 1)
  const packages = data === null ? undefined : own(data, 'packages')
  const folders = isData(packages) ? Object.keys(packages).filter(isWorkspace) : [] // J1
  if (folders.length > MAX_WORKSPACES) throw new ToolFailure('too-many', `The project has more than ${MAX_WORKSPACES} workspaces.`)
  const others: Manifest[] = []
  for (const folder of folders) others.push(await manifest(folder))
  return { manifests: [root, ...others], lock, lockVersion: Number.isInteger(version) ? version : null }
}

const isWorkspace = (path: string): boolean => path !== '' && !path.includes('node_modules') && !path.startsWith('/') && !path.split('/').some(part => part === '..' || part === '' || part === '.git' || part === '.tek')

/** Who depends on what, directly. A name is `dev` when nobody needs it otherwise. */
export function directDependencies({ manifests }: Project): Map<string, { dev: boolean; dependents: string[] }> {
  const found = new Map<string, { dev: boolean; dependents: string[] }>()
  for (const { folder, data } of manifests) {
    for (const kind of KINDS) {
      const list = own(data, kind)
      if (!isData(list)) continue
      for (const name of Object.keys(list).filter(isPackageName)) {
        const before = found.get(name) ?? { dev: true, dependents: [] }
        if (!before.dependents.includes(folder)) before.dependents.push(folder)
        found.set(name, { dependents: before.dependents, dev: before.dev && kind === 'devDependencies' })
      }
    }
  }
  return found
}

export interface Wanted {
  readonly package: string
  readonly to: string
}

export function checkedChanges(changes: readonly Wanted[]): void {
  for (const { package: name, to } of changes) {
    if (!isPackageName(name)) throw new ToolFailure('bad-name', `\`${name.slice(0, 100)}\` cannot be the name of a package.`)
    if (parseVersion(to) === null) throw new ToolFailure('bad-version', `\`${to.slice(0, 100)}\` is not a version.`)
  }
}

/** The manifests that a change concerns, with their new texts: everywhere the name stands, exactly this version. New names go to the project's own. // J2 */
export function changedManifests(project: Project, changes: readonly Wanted[]): { readonly folder: string; readonly text: string }[] {
  const direct = directDependencies(project)
  return project.manifests.flatMap(({ folder, text, data }) => {
    const changed = structuredClone(data) as Record<string, unknown>
    for (const { package: name, to } of changes) {
      const lists = KINDS.filter(kind => isData(own(data, kind)) && Object.hasOwn(own(data, kind) as Data, name))
      if (lists.length === 0 && (folder !== '.' || direct.has(name))) continue
      for (const kind of lists.length === 0 ? (['dependencies'] as const) : lists) changed[kind] = { ...(isData(changed[kind]) ? changed[kind] : {}), [name]: to }
    }
    const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? '  '
    const next = JSON.stringify(changed, null, indent) + (text.endsWith('\n') ? '\n' : '')
    return next === text || JSON.stringify(changed) === JSON.stringify(data) ? [] : [{ folder, text: text.includes('\r\n') ? next.replaceAll('\n', '\r\n') : next }]
  })
}
