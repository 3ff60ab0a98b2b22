// What a third-party tool may do of all that its caller may: its own needs as a level of authority.
import { expect, test } from 'vitest'
import { matchesGrant } from '#grants/match.ts'
import { ownLevel } from '#interpreter/effects/own-needs.ts'
import type { Grant } from '#model/capability.ts'

const allows = (needs: readonly Grant[], wanted: Grant): boolean => ownLevel(needs, '/project').some(grant => matchesGrant(grant, wanted, '/project'))
const grant = (name: string, ...args: string[]): Grant => ({ name, args })

test.each<[string, Grant[], Grant, boolean]>([
  ['nothing without a need', [], grant('fs.read', 'a.txt'), false],
  ['the file', [grant('fs.read', 'a.txt')], grant('fs.read', '/project/a.txt'), true],
  ['no other file', [grant('fs.read', 'a.txt')], grant('fs.read', 'b.txt'), false],
  ['what lies in a folder', [grant('fs.write', 'out/')], grant('fs.write', 'out/x/y.txt'), true],
  ['not beside it', [grant('fs.write', 'out')], grant('fs.write', 'outer/x'), false],
  ['reading is not writing', [grant('fs.read', 'a.txt')], grant('fs.write', 'a.txt'), false],
  ['the host of an address', [grant('net', 'https://api.example.com/x?y=1')], grant('net', 'api.example.com:443'), true],
  ['no other host', [grant('net', 'https://api.example.com/x')], grant('net', 'example.com:443'), false],
  ['the command', [grant('exec', 'git', 'log', '**')], grant('exec', 'git', 'log', '-1'), true],
  ['no other command', [grant('exec', 'git', 'log', '**')], grant('exec', 'git', 'push'), false],
  ['words that are no patterns: the program, with as many', [grant('exec', 'echo', 'a b')], grant('exec', 'echo', 'a b'), true],
  ['and no other program', [grant('exec', 'echo', 'a b')], grant('exec', 'rm', 'a b'), false],
  ['no other variable', [grant('env', 'TOKEN')], grant('env', 'HOME'), false],
])('%s', (_, needs, wanted, allowed) => {
  expect(allows(needs, wanted)).toBe(allowed)
})
