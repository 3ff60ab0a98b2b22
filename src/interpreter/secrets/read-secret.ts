// Read secret: a secret's value from where the program says it is, once.
// Owns: the three sources, their bounds, what is wrong with a value in the user's words. Does not own: whether it may be read (vault.ts).
//   D1. No message holds a value, nor what a helper program printed: both may be the secret.
//   D2. A helper program is the person's own, named in a grant: it is started with their own home and session, as they would start it, and
//       not in the project's folder.
import { resolve } from 'node:path'
import { secretErrors } from '#diagnostics/catalog/secret.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { type Host, HostError } from '#host/host.ts'
import type { PlanSecret, SecretSource } from '#model/plan.ts'
import { LEAST_SECRET_LENGTH } from './needles.ts'
import { shownName } from './stand-in.ts'

const MAX_SECRET_BYTES = 65_536
/** A person may have to unlock a keychain. */
const HELPER_TIMEOUT_MS = 120_000

/** What password stores, keychains and their agents are found by. */
const helperVariables = [
  'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TERM', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME',
  'DBUS_SESSION_BUS_ADDRESS', 'GNUPGHOME', 'GPG_TTY', 'GPG_AGENT_INFO', 'SSH_AUTH_SOCK', 'PASSWORD_STORE_DIR', 'SystemRoot', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA',
]

/** `~/x` as a path of whoever runs it. */
export function atHome(host: Host, path: string): string {
  return path.startsWith('~/') ? `${host.env('HOME') ?? '/nonexistent'}${path.slice(1)}` : path
}

/** The value, or why there is none. */
export async function readSecret(host: Host, cwd: string, { name, source }: PlanSecret): Promise<string | Diagnostic> {
  const shown = shownName(name)
  const found = await (source.kind === 'env' ? fromEnvironment(host, shown, source.name) : source.kind === 'file' ? fromFile(host, cwd, shown, source.path) : fromHelper(host, cwd, shown, source))
  if (typeof found !== 'string') return found
  const value = found.replace(/\r?\n$/, '')
  if (value === '') return secretErrors['not-set']({ name: shown, why: `${placeOf(source)} is empty`, next: nextStep(source) })
  if (value.length < LEAST_SECRET_LENGTH) return secretErrors['too-short']({ name: shown, least: LEAST_SECRET_LENGTH })
  return value
}

async function fromEnvironment(host: Host, name: string, variable: string): Promise<string | Diagnostic> {
  const value = host.env(variable)
  return value ?? secretErrors['not-set']({ name, why: `the variable \`${variable}\` is not set`, next: nextStep({ kind: 'env', name: variable }) })
}

async function fromFile(host: Host, cwd: string, name: string, path: string): Promise<string | Diagnostic> {
  try {
    return Buffer.from(await host.files.readBytes(resolve(cwd, atHome(host, path)), MAX_SECRET_BYTES)).toString('utf8')
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    const why = error.code === 'not-found' ? `there is no file \`${path}\`` : `the file \`${path}\` cannot be read (${error.code})`
    return secretErrors['not-set']({ name, why, next: nextStep({ kind: 'file', path }) })
  }
}

async function fromHelper(host: Host, cwd: string, name: string, source: Extract<SecretSource, { kind: 'command' }>): Promise<string | Diagnostic> {
  const { program, args } = source
  const refused = (why: string): Diagnostic => secretErrors['not-set']({ name, why: `\`${program}\` ${why}`, next: nextStep(source) })
  const outsideProject = (host.env('PATH') ?? '/usr/bin:/bin').split(':').filter(folder => folder.startsWith('/') && folder !== cwd && !folder.startsWith(`${cwd}/`))
  const env: Record<string, string> = { PATH: outsideProject.join(':') }
  for (const each of helperVariables) {
    const value = host.env(each)
    if (value !== undefined) env[each] = value
  }
  try {
    const result = await host.run({ // D2
      program: program.includes('/') ? resolve(cwd, atHome(host, program)) : program, args, cwd: host.env('HOME') ?? '/', env, timeoutMs: HELPER_TIMEOUT_MS, maxOutputBytes: MAX_SECRET_BYTES,
    }, new AbortController().signal)
    if (result.timedOut) return refused(`did not answer within ${HELPER_TIMEOUT_MS / 1_000} seconds`)
    if (result.exitCode !== 0) return refused(result.exitCode === null ? 'was ended by a signal' : `ended with exit code ${result.exitCode}`) // D1
    return result.truncated ? refused(`printed more than ${MAX_SECRET_BYTES.toLocaleString('en')} bytes`) : result.stdout
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return refused(error.code === 'no-program' ? 'is not a program of this machine' : `cannot be started (${error.code})`)
  }
}

function placeOf(source: SecretSource): string {
  return source.kind === 'env' ? `the variable \`${source.name}\`` : source.kind === 'file' ? `the file \`${source.path}\`` : `what \`${source.program}\` printed`
}

function nextStep(source: SecretSource): string {
  switch (source.kind) {
    case 'env':
      return `Set it for tek alone: \`${source.name}=… tek run …\`.`
    case 'file':
      return `Write the secret into \`${source.path}\`, readable by you alone (chmod 600).`
    case 'command':
      return `Try it yourself: \`${[source.program, ...source.args].join(' ')}\`.`
  }
}
