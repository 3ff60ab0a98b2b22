// Install place: where tek itself is installed, and what lies beside it.
// Owns: finding the package's folder from a bundle or from source alike. Does not own: the user's project.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

let found: string | null = null

/** The folder that holds tek's package.json. */
export function packageFolder(): string {
  if (found !== null) return found
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
  return (found = folder)
}

export function tekVersion(): string {
  return (JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')) as { version: string }).version
}

/** Folder of the programs that are run by name. */
export function programsFolder(): string {
  return join(packageFolder(), 'dist', 'programs')
}

/** Names of the bundled programs, sorted. */
export function bundledPrograms(): string[] {
  const folder = programsFolder()
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter(name => name.endsWith('.tek')).map(name => name.slice(0, -'.tek'.length)).sort()
}

/** Folder of the pages that `tek explain` shows. */
export function errorPagesFolder(): string {
  return join(packageFolder(), 'docs', 'errors')
}

/** Whether `tek explain` has a page for a code. */
export function hasErrorPage(code: string): boolean {
  return /^[a-z-]+\/[a-z0-9-]+$/.test(code) && existsSync(join(errorPagesFolder(), `${code}.md`))
}
