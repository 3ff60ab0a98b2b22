// Grant pairs: an outer and an inner pattern of grants, and concrete values made to slip through between them.
// Owns: the choice of patterns and values. Does not own: what they mean (tek's grants/, naive-grants.ts).
import type { NaiveGrant } from './naive-grants.ts'
import type { Seeded } from './seeded.ts'

export type Kind = 'path' | 'host' | 'argv' | 'name'
export const kinds: readonly Kind[] = ['path', 'path', 'argv', 'argv', 'host', 'name']

const words = ['a', 'b', 'ab', 'src', 'x.ts', '.env', '..a', 'a*', '.tek', '.git', 'hooks', 'config']
const pieces = ['a', 'b', '*', '?', '.', '..', '-', 'ab', '**', 'é', '😀']

function segment(random: Seeded): string {
  if (random.chance(25)) return random.pick(['**', '*', '?', '*.ts', 'a*', '*b', '.*', '?*'])
  return random.chance(60) ? random.pick(words) : random.many(1, 3, () => random.pick(pieces)).join('')
}

function pathPattern(random: Seeded): string {
  const start = random.pick(['', '', '', '/', '../', './', '/home/app/'])
  const parts = random.many(1, 4, () => (random.chance(6) ? random.pick(['..', '.']) : segment(random)))
  return `${start}${parts.join('/')}${random.chance(5) ? '/' : ''}`
}

function token(random: Seeded): string {
  if (random.chance(30)) return random.pick(['**', '*', '?', '-*', '--x=*', '*.ts', 'src/*', '*/*', '', 'a b'])
  return random.many(0, 4, () => random.pick(['a', '-', '.', '/', '*', '?', 'b'])).join('')
}

const names = ['example.com', 'a.example.com', 'b.a.example.com', 'example.com.evil.test', 'localhost', '127.0.0.1', '[::1]', 'xn--bcher-kva.test']

function pattern(random: Seeded, kind: Kind): NaiveGrant {
  switch (kind) {
    case 'path': return { name: 'fs.read', args: [pathPattern(random)] }
    case 'argv': return { name: 'exec', args: [random.pick(['git', 'git', '*', './run']), ...random.many(0, 3, () => token(random))] }
    case 'host': return { name: 'net', args: [`${random.pick(['', '', '*.'])}${random.pick([...names, '*'])}${random.pick(['', ':443', ':80', ':*', ':8443'])}`.replace(/^\*\.\*/, '*')] }
    case 'name': return { name: 'env', args: [random.pick(['A', 'B', 'a', '*', 'A*', ''])] }
  }
}

/** Something wider than `inner`, or that looks so. */
function wider(random: Seeded, inner: NaiveGrant, kind: Kind): NaiveGrant {
  const [first, ...rest] = inner.args
  if (kind === 'path') {
    const parts = first!.split('/')
    const at = random.below(parts.length)
    const changed = random.pick([
      () => [...parts.slice(0, at), '**'], () => parts.map((part, index) => (index === at && part !== '' ? '*' : part)), () => [...parts.slice(0, at), '**', ...parts.slice(at)],
      () => parts.map((part, index) => (index === at && part.length > 1 ? `${part[0]}*` : part)), () => [...parts.slice(0, at), '**', ...parts.slice(at + 1)], () => parts,
    ])()
    return { name: inner.name, args: [changed.join('/')] }
  }
  if (kind === 'argv') {
    const at = random.below(rest.length + 1)
    const changed = random.pick([
      () => [...rest.slice(0, at), '**'], () => rest.map((each, index) => (index === at ? '*' : each)), () => rest.map((each, index) => (index === at ? `${each.slice(0, 1)}*` : each)),
      () => [...rest.slice(0, at), '**', ...rest.slice(at)], () => rest,
    ])()
    return { name: inner.name, args: [first!, ...changed] }
  }
  if (kind === 'host') {
    const host = first!.replace(/:[\d*]+$/, '')
    return { name: inner.name, args: [random.pick([`${host}:*`, `*.${host.replace(/^\*\./, '').split('.').slice(1).join('.')}:443`, '*:*', first!, `*.${host}`])] }
  }
  return { name: inner.name, args: [random.pick(['*', first!])] }
}

export function grantPair(random: Seeded, kind: Kind): { readonly outer: NaiveGrant; readonly inner: NaiveGrant } {
  const inner = pattern(random, kind)
  return { inner, outer: random.chance(75) ? wider(random, inner, kind) : pattern(random, kind) }
}

const fills = ['', 'a', 'b', '.', '..', '-x', 'a.b', '/', 'x/y', '../x', 'é', '😀', ' ', 'a\u0301', '.git/config', '.tek', '\\', '\n', '\0']

/** The pattern with something in place of each wildcard, now and then spoilt. */
function filled(random: Seeded, text: string): string {
  const made = text.replace(/\*\*|\*|\?/g, wild => (wild === '?' ? random.pick(['a', '.', '-', '/', 'é', '😀', '']) : wild === '**' ? random.many(0, 3, () => random.pick(fills)).join('/') : random.pick(fills)))
  return random.chance(15) ? `${made}${random.pick(fills)}` : random.chance(10) ? `${random.pick(fills)}${made}` : made
}

/** A concrete action near one of the two patterns. */
export function valueNear(random: Seeded, kind: Kind, near: NaiveGrant): NaiveGrant {
  switch (kind) {
    case 'path': return { name: near.name, args: [filled(random, near.args[0]!)] }
    case 'argv': return { name: near.name, args: near.args.flatMap((each, index) => (index === 0 ? [each === '*' ? random.pick(['git', 'sh']) : each] : each === '**' ? random.many(0, 3, () => random.pick(fills)) : each.split(/\s+/).map(part => filled(random, part)))) }
    case 'host': {
      const [, host = '', port = ''] = /^(.*?)(?::([\d*]+))?$/.exec(near.args[0]!) ?? []
      const named = host.replace(/^\*\.?/, () => random.pick(['', 'x.', 'x.y.', 'evil-', 'example.com@', 'a/'])) || random.pick(names)
      return { name: 'net', args: [`${random.pick(['https', 'https', 'http', 'ftp'])}://${named}${random.pick(['', '.', '\\', '@evil.test', '%2e', '#'])}${random.pick(['', `:${port === '*' || port === '' ? '443' : port}`, ':80'])}/${random.pick(['', 'x', '@example.com'])}`] }
    }
    case 'name': return { name: near.name, args: [random.pick([near.args[0]!, 'A', 'AB', 'a', '', '*'])] }
  }
}
