// What grants cover: tables of concrete cases, and containment fuzzed against them.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expandBraces, fitsGlobSegment } from '#grants/glob.ts'
import { parseGrant, printGrant, tokenPattern } from '#grants/grant-text.ts'
import { hostOf } from '#grants/host-pattern.ts'
import { containsGrant, matchesGrant } from '#grants/match.ts'

const grant = (text: string) => {
  const parsed = parseGrant(text)
  if (parsed === null) throw new Error(`no grant: ${text}`)
  return parsed
}
const read = (path: string) => ({ name: 'fs.read', args: [path] })
const exec = (...argv: string[]) => ({ name: 'exec', args: argv })
const cwd = '/home/app'

describe('paths', () => {
  test.each([
    ['src/**', 'src/a.ts', true], ['src/**', 'src', true], ['src/**', 'src/deep/er/a.ts', true], ['src/**', './src//a.ts/', true], ['src/', 'src', true],
    ['src/**', '/home/app/src/a.ts', true], ['/home/app/src/**', 'src/a.ts', true], ['**', 'a', true], ['src/*.ts', 'src/a.ts', true],
    ['src/*.ts', 'src/.ts', true], ['src/?.ts', 'src/é.ts', true], ['src/**/test/*.ts', 'src/test/a.ts', true], ['src/**/test/*.ts', 'src/x/y/test/a.ts', true],
    ['../lib/**', '/home/lib/a', true], ['a/../src/**', 'src/x', true],
    ['src/**', 'srcx/a.ts', false], ['src/**', 'src/../secret', false], ['src/**', 'src/a/../../secret', false], ['src/**', '../src/a', false],
    ['src/**', '/src/a', false], ['src/**', 'Src/a', false], ['src/**', 'src/\0/a', false], ['src/*', 'src/a/b', false], ['src/*.ts', 'src/a/b.ts', false],
    ['src/caf\u00e9', 'src/cafe\u0301', false], ['src/*/../**', 'src/a', false], ['', '..', false], ['src', 'src/a', false], ['**', '/etc/passwd', false],
    ['**', '.tek/tek.db', false], ['**', '.TEK/tek.db', false], ['**', '.t\u200bek/x', false], ['**', 'tek.permits.yaml', false], ['**', 'Tek.Permits.YAML', false],
    ['**', '.git/hooks/pre-commit', false], ['**', 'sub/.git/hooks/x', false], ['.git/*/pre-commit', '.git/hooks/pre-commit', false], ['**', '.git/config', false],
    ['.tek/**', '.tek/tek.db', false], ['.tek/notes.txt', '.tek/notes.txt', true], ['tek.permits.yaml', 'tek.permits.yaml', true], ['**', '.git/HEAD', true],
    ['/**', '/proc/self/environ', false], ['/**', '/proc/12/mem', false], ['/proc/self/status', '/proc/self/status', true], ['**', 'proc/12/x', true],
    ['/**', '/etc/passwd', true], ['/**', '/home/app/.tek/tek.db', false],
  ])('%s and %s: %s', (pattern, path, covered) => {
    expect(matchesGrant(read(pattern), read(path), cwd)).toBe(covered)
  })

  test('a working directory below .tek is no control folder, what lies in it is', () => {
    expect(matchesGrant(read('**'), read('a.ts'), '/home/.tek/trees/1')).toBe(true)
    expect(matchesGrant(read('**'), read('.tek/a'), '/home/.tek/trees/1')).toBe(false)
  })

  test('a working directory with wildcard characters in its name is taken literally', () => {
    expect(matchesGrant(read('src/**'), read('/w/a*b/src/x'), '/w/a*b')).toBe(true)
    expect(matchesGrant(read('src/**'), read('/w/acb/src/x'), '/w/a*b')).toBe(false)
    expect(matchesGrant(read('../c/**'), read('/w/c/x'), '/w/a*b')).toBe(true)
    expect(matchesGrant(read('../c*/x'), read('/w/cd/x'), '/w/a*b')).toBe(true)
    expect(matchesGrant(read('../c*/../x'), read('/w/x'), '/w/a*b')).toBe(false)
  })

  test('many stars take no time', () => {
    const pattern = `${'*a'.repeat(200)}b`
    expect(matchesGrant(read(pattern), read('a'.repeat(4_000)), cwd)).toBe(false)
  })
})

describe('commands', () => {
  test.each([
    ['exec("grep")', ['grep'], true], ['exec("grep")', ['grep', 'x'], false], ['exec("grep", "**")', ['grep', '-r', 'x', '../y'], true],
    ['exec("npm", "test")', ['npm', 'test'], true], ['exec("npm", "run build")', ['npm', 'run', 'build'], true], ['exec("npm", "run build")', ['npm', 'run build'], false],
    ['exec("npm", "ci", "**")', ['npm', 'ci'], true], ['exec("npm", "ci", "**")', ['npm', 'install'], false], ['exec("npm", "test")', ['npm', 'test', '--', 'x'], false],
    ['exec("git", "log", "*")', ['git', 'log', 'main'], true], ['exec("git", "log", "*")', ['git', 'log', '--output=/etc/x'], false], ['exec("git", "log", "*")', ['git', 'log'], false],
    ['exec("git", "log", "*")', ['git', 'log', ''], true], ['exec("cat", "src/*")', ['cat', 'src/a'], true], ['exec("cat", "src/*")', ['cat', 'src/../../etc/passwd'], false],
    ['exec("cat", "src/*")', ['cat', 'src/..'], false], ['exec("cat", "src/.*")', ['cat', 'src/..'], false], ['exec("cat", "src/.*")', ['cat', 'src/.env'], true],
    ['exec("cat", "*.ts")', ['cat', 'a.ts'], true], ['exec("cat", "*.ts")', ['cat', '../a.ts'], false], ['exec("cat", "*.ts")', ['cat', '-a.ts'], false],
    ['exec("x", "-*")', ['x', '-v'], true], ['exec("x", "a*")', ['x', 'a', 'b'], false], ['exec("x", "a")', ['x', 'a\0b'], false], ['exec("x", "a b")', ['x', 'a\0b'], false],
    ['exec("x", "**", "end")', ['x', '1', '2', 'end'], true], ['exec("x", "**", "end")', ['x', 'end', '1'], false],
    ['exec("./build.sh")', ['build.sh'], false], ['exec("./build.sh")', ['./build.sh'], true], ['exec("./build.sh")', ['/home/app/build.sh'], true],
    ['exec("npm")', ['/usr/bin/npm'], false], ['exec("*", "--version")', ['node', '--version'], true],
  ] as const)('%s and %j: %s', (pattern, argv, covered) => {
    expect(matchesGrant(grant(pattern), exec(...argv), cwd)).toBe(covered)
  })
})

describe('hosts', () => {
  test.each([
    ['api.github.com:443', 'https://api.github.com/repos', true], ['api.github.com', 'https://API.GitHub.com./x', true], ['api.github.com', 'http://api.github.com', false],
    ['*.example.com:443', 'https://a.b.example.com', true], ['*.example.com:443', 'https://example.com', false], ['*.example.com:443', 'https://badexample.com', false],
    ['api.github.com', 'https://api.github.com@evil.test/', false], ['api.github.com', 'https://api.github.com.evil.test/', false], ['*:443', 'https://x.test', true],
    ['localhost:*', 'http://localhost:8080', true], ['127.0.0.1:80', 'http://0x7f.1/', true], ['[::1]:80', 'http://[0:0::1]/', true], ['b\u00fccher.test', 'https://xn--bcher-kva.test', true],
    ['api.github.com', 'ftp://api.github.com', false], ['api.github.com', 'https://*.github.com', false], ['registry:npm', 'registry:npm', true], ['registry:npm', 'https://registry.npmjs.org/rc', true], ['registry:npm', 'http://registry.npmjs.org/rc', false], ['registry:npm', 'https://registry.npmjs.org.evil.com/', false], ['registry:npm', 'registry:pypi', false],
    ['api.github.com', 'nonsense here', false],
  ])('%s and %s: %s', (pattern, url, covered) => {
    expect(matchesGrant({ name: 'net', args: [pattern] }, { name: 'net', args: [url] }, cwd)).toBe(covered)
  })
  test('hostOf', () => {
    expect(hostOf('http://Example.com:80/x')).toBe('example.com:80')
    expect(hostOf('file:///etc/passwd')).toBeNull()
  })
})

describe('names and forms', () => {
  test.each([
    ['env("HOME")', 'env("HOME")', true], ['env("HOME")', 'env("home")', false], ['env("*")', 'env("X")', true], ['env("A*")', 'env("AB")', false],
    ['env', 'env("X")', false], ['fs.read("a")', 'fs.write("a")', false], ['fs.read("a", "b")', 'fs.read("a")', false],
    ['git.branch("tek/**")', 'git.branch("tek/up")', true], ['git.branch("tek/**")', 'git.branch("main/../tek/up")', false], ['git.read(".")', 'git.read("./")', true],
    ['agent.spawn', 'agent.spawn()', true],
  ])('%s and %s: %s', (pattern, wanted, covered) => {
    expect(matchesGrant(grant(pattern), grant(wanted), cwd)).toBe(covered)
  })

  test('reading and printing', () => {
    expect(parseGrant(' exec( "npm" , "run \\"x\\"" ) ')).toEqual({ name: 'exec', args: ['npm', 'run "x"'] })
    for (const bad of ['', 'exec(npm)', 'exec("a"', 'exec("a",)', '1x("a")', 'a..b("x")', 'exec(["a"])']) expect(parseGrant(bad)).toBeNull()
    fc.assert(fc.property(fc.array(fc.string(), { maxLength: 5 }), args => {
      expect(parseGrant(printGrant({ name: 'fs.read', args }))).toEqual({ name: 'fs.read', args })
    }))
  })

  test('the suggested pattern of a token covers it', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', ' ', '*', '?', '/', '.') }), token => {
      fc.pre(!/(^|\/)[ *.?]{1,2}(\/|$)/.test(token)) // `?` never stands for `.` or `..`
      expect(matchesGrant(exec('x', tokenPattern(token)), exec('x', token), cwd)).toBe(true)
    }))
  })
})

describe('containment', () => {
  test.each([
    ['fs.read("src/**")', 'fs.read("src/*.ts")', true], ['fs.read("src/**")', 'fs.read("src/**/*.ts")', true], ['fs.read("src/*.ts")', 'fs.read("src/**")', false],
    ['fs.read("src/**")', 'fs.read("/home/app/src/a")', true], ['fs.read("**")', 'fs.read("../x")', false], ['fs.read("**")', 'fs.read(".tek/x")', false],
    ['fs.read("**")', 'fs.read(".tek/**")', true], ['fs.read("src/**/**")', 'fs.read("src/**")', true], ['fs.read("a/**/b/**")', 'fs.read("a/b/**")', true],
    ['fs.read("a/?*")', 'fs.read("a/*")', true], ['fs.read("*")', 'fs.read("a*b")', true], ['fs.read("a*b")', 'fs.read("*")', false],
    ['exec("npm", "**")', 'exec("npm", "ci", "*")', true], ['exec("npm", "*")', 'exec("npm", "**")', false], ['exec("x", "*")', 'exec("x", "-v")', false],
    ['exec("x", "src/*")', 'exec("x", "src/..")', false], ['exec("x", "src/*")', 'exec("x", "src/*.ts")', true],
    ['net("*.example.com:443")', 'net("*.a.example.com:443")', true], ['net("*.example.com:443")', 'net("*:443")', false],
  ])('%s contains %s: %s', (outer, inner, contained) => {
    expect(containsGrant(grant(outer), grant(inner), cwd)).toBe(contained)
  })

  test('without a working directory relative and absolute are not compared', () => {
    expect(containsGrant(read('src/**'), read('src/a'))).toBe(true)
    expect(containsGrant(read('src/**'), read('/src/a'))).toBe(false)
    expect(containsGrant(read('../**'), read('../a'))).toBe(false)
  })

  const segment = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), minLength: 1, maxLength: 4 })
  const pattern = fc.array(fc.oneof({ weight: 3, arbitrary: segment }, fc.constant('**'), fc.constantFrom('.git', 'hooks', '.tek', '..')), { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'))
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'c'), minLength: 1, maxLength: 4 })
  const concrete = fc.array(fc.oneof(name, fc.constantFrom('.git', 'hooks', '.tek')), { maxLength: 5 }).map(parts => parts.join('/'))

  test('what it says of paths holds for every concrete one', () => {
    let said = 0
    fc.assert(fc.property(pattern, pattern, fc.array(concrete, { minLength: 5, maxLength: 25 }), fc.constantFrom(undefined, cwd), (outer, inner, paths, folder) => {
      if (!containsGrant(read(outer), read(inner), folder)) return
      said++
      for (const path of [...paths, inner]) if (matchesGrant(read(inner), read(path), cwd)) expect(matchesGrant(read(outer), read(path), cwd)).toBe(true)
    }), { numRuns: 4_000 })
    expect(said).toBeGreaterThan(50)
  })

  const token = fc.string({ unit: fc.constantFrom('a', '-', '.', '/', '*', '?'), maxLength: 5 })
  const tokens = fc.array(fc.oneof({ weight: 3, arbitrary: token }, fc.constantFrom('**', '*')), { maxLength: 3 })
  const given = fc.array(fc.string({ unit: fc.constantFrom('a', '-', '.', '/', ' '), maxLength: 5 }), { maxLength: 4 })

  test('what it says of commands holds for every concrete one', () => {
    let said = 0
    fc.assert(fc.property(tokens, tokens, fc.array(given, { minLength: 5, maxLength: 25 }), (outer, inner, lines) => {
      if (!containsGrant(exec('x', ...outer), exec('x', ...inner))) return
      said++
      for (const argv of [...lines, inner]) if (matchesGrant(exec('x', ...inner), exec('x', ...argv), cwd)) expect(matchesGrant(exec('x', ...outer), exec('x', ...argv), cwd)).toBe(true)
    }), { numRuns: 4_000 })
    expect(said).toBeGreaterThan(50)
  })

  test('patterns made to take long are answered with no', () => {
    const wide = `${'?*a'.repeat(60)}/**/${'*b?'.repeat(60)}`
    expect(containsGrant(read(`${'*a'.repeat(80)}/x`), read(wide))).toBe(false)
  }, 10_000)

  test('every pattern contains itself', () => {
    fc.assert(fc.property(pattern.filter(text => !text.split('/').includes('..')), text => { expect(containsGrant(read(text), read(text))).toBe(true) }))
  })
})

describe('globs', () => {
  test('alternatives', () => {
    expect(expandBraces('src/{a,b{c,d}}.{ts,js}')).toEqual(['src/a.ts', 'src/a.js', 'src/bc.ts', 'src/bc.js', 'src/bd.ts', 'src/bd.js'])
    expect(expandBraces('a{b')).toEqual(['a{b'])
    expect(expandBraces('{x}')).toEqual(['{x}'])
    expect(expandBraces('{a,b}'.repeat(12))).toBeNull()
    expect(expandBraces('{'.repeat(10_000))).toEqual(['{'.repeat(10_000)])
  })
  test('folders left out', () => {
    expect(fitsGlobSegment('**', '.git')).toBe(false)
    expect(fitsGlobSegment('*', 'node_modules')).toBe(false)
    expect(fitsGlobSegment('node_modules', 'node_modules')).toBe(true)
    expect(fitsGlobSegment('*', '.env')).toBe(true)
  })
})
