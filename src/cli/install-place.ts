// Install place: where tek itself is installed, and what lies beside it.
// Owns: finding the package's folder from a bundle or from source alike. Does not own: the user's project.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

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

/** What speaks the Model Context Protocol as a client, loaded when a server is used. */
export function clientUrl(): string {
  return pathToFileURL(join(packageFolder(), 'dist', 'mcp-client.mjs')).href
}

/** The same as a server, loaded by `tek mcp FILE`. */
export function serverUrl(): string {
  return pathToFileURL(join(packageFolder(), 'dist', 'mcp-server.mjs')).href
}

/** What speaks the Language Server Protocol, loaded when an editor starts it. */
export function languageServerUrl(): string {
  return pathToFileURL(join(packageFolder(), 'dist', 'language-server.mjs')).href
}

/** Folder of the programs that are run by name. */
export function programsFolder(): string {
  return join(packageFolder(), 'dist', 'programs')
}

/** Folder of what `tek init` begins projects with: a folder a template. */
export function templatesFolder(): string {
  return join(packageFolder(), 'dist', 'templates')
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
