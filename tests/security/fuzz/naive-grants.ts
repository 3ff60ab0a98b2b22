// Naive grants: what a grant covers, written a second time, from its description, as plainly as possible and without any code of tek.
// Owns: the meaning of path, host, argv and name grants for concrete values. It is slow and it is the oracle: where tek says yes and this says no, tek is wrong.

export interface NaiveGrant {
  readonly name: string
  readonly args: readonly string[]
}

/** Whether `grant` covers a concrete action. */
export function naivelyCovers(grant: NaiveGrant, wanted: NaiveGrant, cwd: string): boolean {
  if (grant.name !== wanted.name) return false
  switch (grant.name) {
    case 'fs.read':
    case 'fs.write':
      return grant.args.length === 1 && wanted.args.length === 1 && coversPath(grant.args[0]!, wanted.args[0]!, cwd)
    case 'net':
      return grant.args.length === 1 && wanted.args.length === 1 && coversHost(grant.args[0]!, wanted.args[0]!)
    case 'exec':
      return coversCommand(grant.args, wanted.args, cwd)
    default:
      return grant.args.length === 1 && wanted.args.length === 1 && (grant.args[0] === '*' || grant.args[0] === wanted.args[0])
  }
}

const isWild = (text: string): boolean => /[*?]/.test(text)

/** Absolute parts of a path; null when it is none. In a pattern `..` may not take a wildcard away. */
export function partsOf(text: string, cwd: string, isPattern: boolean): string[] | null {
  if (text.includes('\0')) return null
  const parts = text.startsWith('/') ? [] : cwd.split('/').filter(part => part !== '')
  const fixed = parts.length
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') {
      parts.push(part)
      continue
    }
    if (isPattern && parts.length > fixed && isWild(parts.at(-1)!)) return null
    parts.pop()
  }
  return parts
}

function escape(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')
}

function coversPath(pattern: string, path: string, cwd: string): boolean {
  const [wanted, given] = [partsOf(pattern, cwd, true), partsOf(path, cwd, false)]
  if (wanted === null || given === null) return false
  // What the pattern takes over from the folder it starts in is no wildcard, whatever its name.
  const literal = pattern.startsWith('/') ? 0 : sameStart(wanted, cwd.split('/').filter(part => part !== ''))
  const wildFrom = wanted.findIndex((part, index) => index >= literal && isWild(part))
  if (wildFrom < 0) return `/${given.join('/')}` === `/${wanted.join('/')}`
  if (isSteering(given, cwd)) return false
  const regex = wanted.map((part, index) => {
    if (index < literal) return `/${[...part].map(escape).join('')}`
    if (part === '**') return '(?:/[^/]+)*'
    return `/${[...part].map(each => (each === '*' ? '[^/]*' : each === '?' ? '[^/]' : escape(each))).join('')}`
  }).join('')
  return new RegExp(`^${regex}$`, 'su').test(given.length === 0 ? '' : `/${given.join('/')}`)
}

function sameStart(a: readonly string[], b: readonly string[]): number {
  let same = 0
  while (same < a.length && same < b.length && a[same] === b[same]) same++
  return same
}

/** Files that steer tek or git, and other processes: no wildcard covers them. */
function isSteering(parts: readonly string[], cwd: string): boolean {
  const folder = cwd.split('/').filter(part => part !== '')
  const isInside = folder.every((part, index) => parts[index] === part)
  const seen = (isInside ? parts.slice(folder.length) : parts).map(part => part.toLowerCase())
  if (!isInside && seen[0] === 'proc' && /^(\d+|self|thread-self)$/.test(seen[1] ?? '')) return true
  if (seen.some(part => part === '.tek' || part === 'tek.permits.yaml')) return true
  const git = seen.indexOf('.git')
  return git >= 0 && seen.slice(git + 1).some(part => ['hooks', 'config', 'config.worktree', 'commondir'].includes(part))
}

function coversHost(pattern: string, address: string): boolean {
  const target = URL.canParse(address) ? new URL(address) : null
  if (target === null || (target.protocol !== 'http:' && target.protocol !== 'https:')) return false
  const port = target.port || (target.protocol === 'https:' ? '443' : '80')
  const host = target.hostname.replace(/\.$/, '')
  const [, name = '', wantedPort = '443'] = /^(.*?)(?::(\d+|\*))?$/.exec(pattern) ?? []
  if (wantedPort !== '*' && Number(wantedPort) !== Number(port)) return false
  if (name === '*') return true
  if (name.startsWith('*.')) return host.endsWith(`.${name.slice(2).toLowerCase()}`) && !/^[\d.]+$|^\[/.test(host)
  return host === name.toLowerCase()
}

function coversCommand(pattern: readonly string[], argv: readonly string[], cwd: string): boolean {
  const [program, ...tokens] = pattern
  const [given, ...args] = argv
  if (program === undefined || given === undefined) return pattern.length === argv.length
  const isSame = program === '*' || program === given || (program.includes('/') && given.includes('/') && partsOf(program, cwd, false)?.join('/') === partsOf(given, cwd, false)?.join('/'))
  if (!isSame || argv.some(each => each.includes('\0'))) return false
  return fitsTokens(tokens.flatMap(token => (token === '' ? [''] : token.split(/\s+/).filter(each => each !== ''))), args)
}

function fitsTokens(tokens: readonly string[], args: readonly string[]): boolean {
  const [token, ...rest] = tokens
  if (token === undefined) return args.length === 0
  if (token === '**') return fitsTokens(rest, args) || (args.length > 0 && fitsTokens(tokens, args.slice(1)))
  return args.length > 0 && fitsToken(token, args[0]!) && fitsTokens(rest, args.slice(1))
}

/** A wildcard at the start is never `-`; but for a `*` alone none is `/`, and a part it touches is never `.` or `..`. */
function fitsToken(token: string, arg: string): boolean {
  if (!isWild(token)) return token === arg
  if (/^[*?]/.test(token) && arg.startsWith('-') && !startsLiterally(token, arg)) return false
  if (token === '*') return true
  const [wanted, given] = [token.split('/'), arg.split('/')]
  if (wanted.length !== given.length) return false
  return wanted.every((part, index) => {
    if (!isWild(part)) return part === given[index]
    if (given[index] === '.' || given[index] === '..') return false
    return new RegExp(`^${[...part].map(each => (each === '*' ? '.*' : each === '?' ? '.' : escape(each))).join('')}$`, 'su').test(given[index]!)
  })
}

/** `*-x` for `-x`: the star may stand for nothing, and the `-` is spelt. */
function startsLiterally(token: string, arg: string): boolean {
  const rest = token.replace(/^\*+/, '')
  return rest.startsWith('-') && token.startsWith('*') && fitsToken(rest, arg)
}
