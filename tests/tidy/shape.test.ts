// Names, sizes and habits that hold everywhere, so that a visitor finds each thing where its name says.
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { filesUnder, isCode, read, withLines } from './source-tree.ts'

const MAX_FILE_LINES = 600
const MAX_LINE_CHARACTERS = 240
const drawers = new Set(['utils', 'util', 'helpers', 'helper', 'types', 'common', 'manager', 'misc', 'shared', 'lib'])

const sources = filesUnder('src', isCode)
const stdlib = filesUnder('stdlib', isCode)
const tests = filesUnder('tests', isCode)
const everywhere = [...sources, ...stdlib, ...tests, ...filesUnder('bench', isCode)]

test('there is something to look at', () => {
  expect(sources.length).toBeGreaterThan(20)
})

test(`no file is longer than ${MAX_FILE_LINES} lines`, () => {
  const long = everywhere.map(path => ({ path, lines: read(path).split('\n').length })).filter(each => each.lines > MAX_FILE_LINES)
  expect(long).toEqual([])
})

test(`no line is longer than ${MAX_LINE_CHARACTERS} characters`, () => {
  const wrong: string[] = []
  for (const path of [...sources, ...stdlib]) {
    read(path).split('\n').forEach((line, index) => {
      if (line.length > MAX_LINE_CHARACTERS) wrong.push(`${path}:${index + 1} has ${line.length}`)
    })
  }
  expect(wrong).toEqual([])
})

test('files are kebab-case and named by what they own', () => {
  const wrong = everywhere.filter(path => {
    const name = path.slice(path.lastIndexOf('/') + 1).replace(/(\.(test|bench|config))?\.(ts|mjs)$/, '')
    return !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || drawers.has(name)
  })
  expect(wrong).toEqual([])
})

test('folders are not drawers either', () => {
  const wrong = everywhere.filter(path => path.split('/').slice(1, -1).some(part => drawers.has(part) && part !== 'types'))
  expect(wrong).toEqual([])
})

test('no default export, except the one object of a plugin and settings of a tool', () => {
  const wrong: string[] = []
  for (const path of [...sources, ...stdlib.filter(each => !/^stdlib\/[^/]+\/(.+\/)?plugin\.ts$/.test(each))]) {
    withLines(path, (line, number) => {
      if (/^\s*export default\b/.test(line)) wrong.push(`${path}:${number}`)
    })
  }
  expect(wrong).toEqual([])
})

test('each source file begins with a comment that is its design', () => {
  const wrong = [...sources, ...stdlib].filter(path => {
    const lines = read(path).split('\n')
    const first = lines[0]!.startsWith('#!') ? lines[1]! : lines[0]!
    return !/^\/\/ \S.{15,}/.test(first)
  })
  expect(wrong).toEqual([])
})

test('only the command line prints', () => {
  const wrong: string[] = []
  for (const path of [...sources.filter(each => !each.startsWith('src/cli/')), ...stdlib]) {
    withLines(path, (line, number) => {
      if (/\bconsole\.|\bprocess\.std(out|err)\.write/.test(line)) wrong.push(`${path}:${number} ${line.trim()}`)
    })
  }
  expect(wrong).toEqual([])
})

test('only the command line ends the process, and only its own entries do', () => {
  const wrong: string[] = []
  const entries = new Set(['src/plugins/isolate/child.ts', 'src/interpreter/pool/worker.ts'])
  for (const path of sources.filter(each => !each.startsWith('src/cli/') && !entries.has(each))) {
    withLines(path, (line, number) => {
      if (/\bprocess\.(exit\(|exitCode\s*=)/.test(line)) wrong.push(`${path}:${number}`)
    })
  }
  expect(wrong).toEqual([])
})

test('no semicolons at line ends, no tabs, no unfinished marks', () => {
  const wrong: string[] = []
  for (const path of [...sources, ...stdlib]) {
    withLines(path, (line, number) => {
      if (/;\s*$/.test(line) && !line.includes('`')) wrong.push(`${path}:${number} ends with a semicolon`)
      if (line.startsWith('\t')) wrong.push(`${path}:${number} is indented with a tab`)
    })
    read(path).split('\n').forEach((line, index) => {
      if (/\/\/.*\b(TODO|FIXME|XXX|HACK)\b(?!["'`])/.test(line) && !/["'`].*\b(TODO|FIXME|XXX|HACK)\b/.test(line)) wrong.push(`${path}:${index + 1} has an unfinished mark`)
    })
  }
  expect(wrong).toEqual([])
})

/** Hosts of package registries set on this machine: they may differ from machine to machine, so they are read, not written here. */
function registryHosts(): string[] {
  const settings = [process.env['npm_config_registry'] ?? '', process.env['NPM_CONFIG_REGISTRY'] ?? '']
  for (const file of [join(homedir(), '.npmrc'), process.env['npm_config_userconfig'] ?? '', process.env['npm_config_globalconfig'] ?? '']) {
    if (file !== '' && existsSync(file)) settings.push(readFileSync(file, 'utf8'))
  }
  const hosts = settings.flatMap(text => [...text.matchAll(/https?:\/\/([^/\s:]+)/g)].map(match => match[1]!))
  return [...new Set(hosts)].filter(host => host !== 'registry.npmjs.org')
}

test('nothing mentions a folder of one machine or the host of a private registry', () => {
  const wrong: string[] = []
  // Put together from parts, so that this file passes its own test.
  const folders = [`/wo${'rk'}/`, `/ro${'ot'}/`, `/tmp/pl${'an'}`, `/Users/${'[a-z]'}`, '[A-Z]:\\\\\\\\Users']
  const pattern = new RegExp(`(?<![\\w.~-])(${folders.join('|')})`)
  const hosts = registryHosts()
  const texts = filesUnder('', path => /\.(ts|mjs|js|json|md|tek|yaml|yml|ebnf|sh)$/.test(path) && !path.startsWith('tests/syntax/samples/'))
  for (const path of texts) {
    read(path).split('\n').forEach((line, index) => {
      const found = pattern.exec(line)?.[1] ?? hosts.find(host => line.includes(host))
      if (found) wrong.push(`${path}:${index + 1} mentions ${found}`)
    })
  }
  expect(wrong).toEqual([])
})
