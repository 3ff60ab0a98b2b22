// Launch: a program as it is to be started so that it starts confined.
// Owns: choosing the wrapper for a level, its descriptors. Does not own: which level (level.ts), the starting (run-command.ts).
//   N1. The wrapper itself runs with an empty environment, in the root folder; the program's own variables and folder are set inside.
//   N2. HOME is /tmp/home and TMPDIR /tmp, both the sandbox's own: empty at the start and gone at the end.
//   N3. A wrapper that somebody else starts (`confine`) keeps descriptors 0 to 4 for the program. What the wrapper needs beyond them it opens
//       through tek's own /proc entry (and closes what tek inherited, as far as the shell can), so it must be started within START_WITHIN_MS, and by this very process. Granted places are then named by path.
import { closeSync } from 'node:fs'
import { HostError, type Confinement, type IsolationLevel } from '../host.ts'
import { endAfterDeath } from './after-death.ts'
import { anonymousFile, reopened } from './anonymous-file.ts'
import { bubblewrapArguments } from './bubblewrap.ts'
import { inheritedDescriptors } from './inherited.ts'
import { launcher } from './launchers.ts'
import { openLayout, type Layout } from './layout.ts'
import { observerArguments } from './observer.ts'
import { perlArguments, travelling } from './perl-launcher.ts'
import { kernelLimits } from './resource-limits.ts'
import { seccompArchitecture, seccompFilter } from './seccomp.ts'
import { programPlaces, systemView } from './system-view.ts'

const START_WITHIN_MS = 30_000
/** The sandbox's /tmp, and /dev/shm: part of what the command may use of memory. */
const MIN_TEMPORARY_BYTES = 64 * 1024 ** 2
/** Where wrappers find what tek gives them: after the three of the program and the one they report on. */
const STATUS_FD = 3
const FIRST_OWN_FD = 4
/** Where the observer reports, if there is one; then what tek gives comes after it. */
const REPORT_FD = 4

export interface ProgramStart {
  /** Absolute. */
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

export interface Launch {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Given to the child as descriptor 4 and on, or 5 where it is observed; descriptor 3 is a pipe on which the wrapper reports, 4 the observer's. */
  readonly descriptors: readonly number[]
  /** Once it has started: descriptors are not needed any more. */
  started(): void
  /** Once it has ended. */
  ended(): void
}

interface Filters {
  /** Level 3: a file to be opened again. */
  readonly file: number
  /** Level 2: the bytes. */
  readonly bytes: Buffer
}

const filters = new Map<boolean, Filters>()

function filtersFor(observed: boolean): Filters {
  let found = filters.get(observed)
  if (found === undefined) {
    const architecture = seccompArchitecture()!
    found = { file: anonymousFile(seccompFilter(architecture, { unixSockets: true, observed })), bytes: seccompFilter(architecture, { unixSockets: false, observed }) }
    filters.set(observed, found)
  }
  return found
}

/** The start of a program at a level that this machine has. @throws {HostError} */
export function prepareLaunch(level: 2 | 3, asked: ProgramStart, confinement: Confinement): Launch {
  const layout = openLayout(confinement, programPlaces(asked.program, asked.cwd))
  const observed = confinement.observe === true
  const start = observed ? { ...asked, program: observerProgram(asked.program), args: observerArguments(asked.program, asked.args, REPORT_FD) } : asked
  const own: number[] = []
  const closeOwn = (): void => { for (const fd of own.splice(0)) closeSync(fd) }
  try {
    if (level === 2) {
      return { program: launcher('perl')!, args: perlLaunch(start, confinement, layout, observed ? REPORT_FD : 2, STATUS_FD), env: travelling(innerEnv(start.env)), descriptors: [], started() {}, ended: () => layout.close() }
    }
    const descriptors: number[] = []
    const give = (fd: number): number => descriptors.push(fd) + FIRST_OWN_FD + (observed ? 1 : 0) - 1
    const giveOwn = (fd: number): number => {
      own.push(fd)
      return give(fd)
    }
    const filter = giveOwn(reopened(filtersFor(observed).file))
    const parts = bubblewrapArguments(bubblewrapStart(start, confinement, layout), { place: give, empty: () => giveOwn(anonymousFile('')) })
    const options = giveOwn(anonymousFile(parts.options.join('\0') + '\0'))
    const args = ['--args', String(options), '--seccomp', String(filter), '--json-status-fd', String(STATUS_FD), '--', ...parts.command]
    const over = endAfterDeath()
    return {
      program: launcher('bwrap')!, args, env: {}, descriptors, started: closeOwn,
      ended() {
        over()
        closeOwn()
        layout.close()
      },
    }
  } catch (error) {
    closeOwn()
    layout.close()
    throw error
  }
}

/** A start for somebody else to make, with descriptors 0 to 4 kept (N3). */
export function prepareForeign(level: 2 | 3, start: ProgramStart, confinement: Confinement): { program: string; args: string[]; env: Record<string, string>; level: IsolationLevel } {
  const layout = openLayout(confinement, programPlaces(start.program, start.cwd))
  if (level === 2) {
    const args = perlLaunch(start, confinement, layout, 4, 0)
    layout.close()
    return { program: launcher('perl')!, args, env: travelling(innerEnv(start.env)), level }
  }
  const shell = launcher('bash') ?? launcher('sh') // bash can close descriptors above 9
  if (shell === null) throw new HostError('refused', start.program, 'There is no /bin/sh on this machine.')
  // By path, at the numbers that the shell opens: 8 the options, 9 the filter, and one more for each covered file.
  const emptyFile = '/dev/null'
  const parts = bubblewrapArguments(bubblewrapStart(start, confinement, layout), { place: fd => fd, empty: () => -1 })
  const byPath: string[] = []
  for (let at = 0; at < parts.options.length; at++) {
    const option = parts.options[at]!
    if (option === '--bind-fd' || option === '--ro-bind-fd') byPath.push(option.slice(0, -3), parts.options[at + 2]!, parts.options[(at += 2)]!)
    else if (option === '--ro-bind-data') byPath.push('--ro-bind', emptyFile, parts.options[(at += 2)]!)
    else byPath.push(option)
  }
  const options = anonymousFile(byPath.join('\0') + '\0')
  const over = endAfterDeath()
  setTimeout(() => {
    over() // it stands, or never will
    closeSync(options)
    layout.close()
  }, START_WITHIN_MS).unref()
  const closed = inheritedDescriptors().filter(fd => fd > 4 && (fd < 10 || shell.endsWith('bash'))).map(fd => ` ${fd}>&-`).join('')
  const opened = `exec${closed} 8</proc/${process.pid}/fd/${options} 9</proc/${process.pid}/fd/${filtersFor(false).file}; exec "$@"`
  return { program: shell, args: ['-c', opened, 'sh', launcher('bwrap')!, '--args', '8', '--seccomp', '9', '--', ...parts.command], env: {}, level }
}

/** @throws {HostError} `refused` where there is no Perl to observe with. */
function observerProgram(program: string): string {
  const perl = launcher('perl')
  if (perl === null) throw new HostError('refused', program, 'There is no /usr/bin/perl on this machine, so that nothing can be observed.')
  return perl
}

function perlLaunch(start: ProgramStart, confinement: Confinement, layout: Layout, keep: number, statusFd: number): string[] {
  return perlArguments({
    perl: launcher('perl')!, architecture: seccompArchitecture()!, filter: filtersFor(confinement.observe === true).bytes, system: systemView(), layout, limits: kernelLimits(confinement.limits),
    cwd: start.cwd, temporaryBytes: temporaryBytes(confinement), program: start.program, args: start.args, keep, statusFd,
  })
}

function bubblewrapStart(start: ProgramStart, confinement: Confinement, layout: Layout): Parameters<typeof bubblewrapArguments>[0] {
  return {
    prlimit: launcher('prlimit')!, system: systemView(), layout, limits: kernelLimits(confinement.limits), cwd: start.cwd, env: innerEnv(start.env),
    temporaryBytes: temporaryBytes(confinement), program: start.program, args: start.args,
  }
}

const temporaryBytes = ({ limits }: Confinement): number => Math.max(MIN_TEMPORARY_BYTES, Math.floor(limits.memoryBytes / 4))

const innerEnv = (env: Readonly<Record<string, string>>): Record<string, string> => ({ ...env, HOME: '/tmp/home', TMPDIR: '/tmp' }) // N2
