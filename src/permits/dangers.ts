// Dangers: what a grant gives away beyond its looks.
// Owns: which grants are marked when somebody is asked, and why. Does not own: refusing anything (the guard).
//   G1. It marks, it does not judge: a grant without a mark is not thereby harmless.
//   G2. A program that runs whatever it is told to is as strong as the machine lets it be: where commands are confined it sees, changes and reaches what is
//       granted and no more, which is said instead of a warning; where they are not, it has all the rights of the person who is asked.
import { isControlFile } from '#grants/path-pattern.ts'
import type { Grant } from '#model/capability.ts'

/** These run whatever they are told to, whatever their arguments. */
const runners = new Set([
  'sh', 'bash', 'zsh', 'dash', 'fish', 'ksh', 'csh', 'tcsh', 'busybox', 'cmd', 'powershell', 'pwsh', 'env', 'xargs', 'sudo', 'doas', 'su', 'ssh', 'nohup', 'timeout', 'nice',
  'node', 'deno', 'bun', 'python', 'python2', 'python3', 'ruby', 'perl', 'php', 'lua', 'tclsh', 'osascript', 'make', 'cmake', 'ninja', 'just', 'rake', 'gradle', 'mvn', 'cargo',
  'npm', 'npx', 'yarn', 'pnpm', 'pip', 'pip3', 'uv', 'gem', 'composer', 'go', 'docker', 'podman', 'kubectl', 'vi', 'vim', 'emacs', 'ed', 'crontab', 'at', 'systemctl',
])
/** These do as soon as an argument is free: `git -c core.pager=…`, `find -exec`, `tar --to-command`, `rsync -e`. */
const runnersByArgument = new Set(['git', 'find', 'tar', 'awk', 'gawk', 'mawk', 'sed', 'rsync', 'scp', 'zip', 'less', 'more', 'man', 'curl', 'wget', 'rg', 'fd', 'gdb', 'strace', 'openssl', 'sort'])
const secretNames = /TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|PRIVATE|ACCESS_KEY|AUTH/i
/** Reading these gives keys away. */
const secretFiles = /(^|\/)(\.ssh|\.aws|\.gnupg|\.kube|\.docker|\.npmrc|\.netrc|\.env[^/]*|id_[a-z0-9]+)(\/|$)/

const ownNetwork = /^(localhost|127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|\[|0\.0\.0\.0|[^:]*\.(local|internal|localhost)(:|$))/i

const hasWildcard = (text: string): boolean => /[*?]/.test(text)

/** Why a grant deserves a second look. */
export interface Danger {
  readonly says: string
  /** False for what the sandbox bounds: told, and no warning. // G2 */
  readonly isWarning: boolean
}

/**
 * Why a grant deserves a second look; null when nothing about it is known to.
 *
 * @param isConfined whether this machine confines commands (level 2 or 3).
 * @example
 * dangerOf({ name: 'exec', args: ['node', '**'] }, false) // { says: 'can run any code, with all your rights', isWarning: true }
 */
export function dangerOf(grant: Grant, isConfined: boolean): Danger | null {
  if (grant.name === 'exec') return ofProgram(grant, isConfined)
  const says = warningOf(grant)
  return says === null ? null : { says, isWarning: true }
}

function ofProgram({ args: [first = '', ...rest] }: Grant, isConfined: boolean): Danger | null {
  const program = first.slice(first.lastIndexOf('/') + 1).replace(/\.exe$/i, '').toLowerCase().replace(/^(python|node|ruby|perl|php)[\d.]+$/, '$1')
  const isRunner = first === '*' || runners.has(program)
  if (!isRunner && !(runnersByArgument.has(program) && rest.some(hasWildcard))) return null
  const how = first === '*' ? 'any program: can run any code' : isRunner ? 'can run any code' : 'with free arguments it can run any code'
  return isConfined ? { says: 'confined to what is granted here', isWarning: false } : { says: `${how}, with all your rights`, isWarning: true } // G2
}

function warningOf({ name, args: [first = ''] }: Grant): string | null {
  switch (name) {
    case 'fs.read':
    case 'fs.write':
      return ofPath(name, first)
    case 'net':
      return /^\*(:|$)/.test(first) ? 'any host on the internet' : ownNetwork.test(first) ? 'this machine or its own network' : null
    case 'env':
      return first === '*' ? 'every variable, keys and tokens too' : secretNames.test(first) ? 'looks like a secret' : null
    case 'program.modify':
      return 'lets the program change itself'
    default:
      return first === '*' || first === '**' ? 'without bounds' : null
  }
}

function ofPath(name: 'fs.read' | 'fs.write', path: string): string | null {
  const segments = path.split('/').filter(each => each !== '' && each !== '.')
  const isOutside = path.startsWith('/') || segments[0] === '..'
  if (!hasWildcard(path) && isControlFile(segments)) return 'steers tek or git itself'
  if (isOutside) return segments.length === 0 || segments[0] === '**' ? 'the whole disk' : secretFiles.test(path) ? 'outside this folder, where keys are kept' : 'outside this folder'
  if (secretFiles.test(path)) return 'where keys are kept'
  if (segments.length > 0 && segments.every(each => each === '**' || each === '*') && segments.includes('**')) {
    return name === 'fs.read' ? 'every file of this folder, keys too' : 'every file of this folder'
  }
  return null
}
