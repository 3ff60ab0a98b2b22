// Licence: SPDX expressions, sorted into families by what they ask of those who pass the code on.
//   L1. Families: 1 permissive, 2 weak copyleft (file or library), 3 strong copyleft, 4 network copyleft, 5 unknown or not open.
//   L2. `A OR B` is the milder of both, `A AND B` the stricter; an exception (`WITH`) makes strong copyleft weak. Anything unreadable is 5.
const MAX_TOKENS = 200

const PERMISSIVE = [
  'MIT', 'MIT-0', 'X11', 'ISC', '0BSD', 'BSD-[1-4]-Clause.*', 'Apache-[\\d.]+', 'BlueOak-1\\.0\\.0', 'Unlicense', 'CC0-1\\.0', 'CC-BY-[34]\\.0', 'WTFPL', 'Zlib', 'Python-2\\.0',
  'PSF-2\\.0', 'Artistic-2\\.0', 'BSL-1\\.0', 'PostgreSQL', 'NCSA', 'Unicode-DFS-2016', 'Unicode-3\\.0', 'OFL-1\\.1', 'Ruby', 'curl', 'TCL', 'W3C', 'AFL-[\\d.]+', 'ODC-By-1\\.0', 'UPL-1\\.0', 'MS-PL',
]
const WEAK = ['MPL-[\\d.]+.*', 'LGPL-[\\d.]+.*', 'EPL-[\\d.]+', 'CDDL-[\\d.]+', 'EUPL-[\\d.]+', 'CC-BY-SA-[\\d.]+', 'MS-RL', 'OSL-[\\d.]+']

const anyOf = (names: readonly string[]): RegExp => new RegExp(`^(?:${names.join('|')})$`, 'i')
const FAMILIES: readonly (readonly [number, RegExp])[] = [
  [1, anyOf(PERMISSIVE)], [2, anyOf(WEAK)], [3, anyOf(['GPL-[\\d.]+.*'])], [4, anyOf(['AGPL-[\\d.]+.*', 'SSPL-[\\d.]+'])],
]

const familyOfName = (name: string): number => FAMILIES.find(([, pattern]) => pattern.test(name.replace(/\+$/, '')))?.[0] ?? 5

/** Family of an SPDX expression, 1 (mildest) to 5 (unknown). */
export function licenceFamily(expression: string): number {
  const tokens = expression.match(/\(|\)|[^\s()]+/g) ?? []
  if (tokens.length === 0 || tokens.length > MAX_TOKENS) return 5
  let at = 0
  const atom = (): number => {
    if (tokens[at] === '(') {
      at++
      const inner = either()
      return tokens[at++] === ')' ? inner : 5
    }
    const family = familyOfName(tokens[at++] ?? '')
    if (tokens[at]?.toUpperCase() !== 'WITH') return family
    at += 2
    return family === 3 ? 2 : family
  }
  const both = (): number => {
    let family = atom()
    while (tokens[at]?.toUpperCase() === 'AND') {
      at++
      family = Math.max(family, atom())
    }
    return family
  }
  const either = (): number => {
    let family = both()
    while (tokens[at]?.toUpperCase() === 'OR') {
      at++
      family = Math.min(family, both())
    }
    return family
  }
  const family = either()
  return at === tokens.length ? family : 5
}
