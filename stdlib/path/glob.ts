// Glob: does a path match a pattern, without looking at any file.
// Owns: the pattern language of programs: `*` and `?` inside a segment, `**` for any number of segments, `{a,b}` alternatives.
//   G1. Time is bounded by pattern length × path length for each alternative; there is no backtracking.
import { ToolFailure } from 'tek-lang/plugin'

const MAX_ALTERNATIVES = 1_000
const MAX_PATTERN_LENGTH = 4_096

/** All patterns without braces that a pattern with braces stands for; nested braces are fine. */
function expandBraces(pattern: string): string[] {
  let patterns = [pattern]
  for (;;) {
    const next: string[] = []
    let expanded = false
    for (const one of patterns) {
      const group = innermostGroup(one)
      if (group === null) next.push(one)
      else {
        expanded = true
        for (const choice of group.choices) next.push(one.slice(0, group.start) + choice + one.slice(group.end))
      }
      if (next.length > MAX_ALTERNATIVES) throw new ToolFailure('bad-pattern', `The pattern stands for more than ${MAX_ALTERNATIVES} alternatives.`)
    }
    patterns = next
    if (!expanded) return [...new Set(patterns)]
  }
}

function innermostGroup(pattern: string): { start: number; end: number; choices: string[] } | null {
  const end = pattern.indexOf('}')
  if (end < 0) return null
  const start = pattern.lastIndexOf('{', end)
  return start < 0 ? null : { start, end: end + 1, choices: pattern.slice(start + 1, end).split(',') }
}

function segmentMatches(pattern: readonly string[], name: readonly string[]): boolean {
  let reachable = new Array<boolean>(name.length + 1).fill(false)
  reachable[0] = true
  for (const symbol of pattern) {
    const next = new Array<boolean>(name.length + 1).fill(false)
    for (let i = 0; i <= name.length; i++) {
      if (symbol === '*') next[i] = reachable[i] === true || (i > 0 && next[i - 1] === true)
      else if (i > 0) next[i] = reachable[i - 1] === true && (symbol === '?' || symbol === name[i - 1])
    }
    reachable = next
  }
  return reachable[name.length] === true
}

const segmentsOf = (path: string): string[] => path.split('/').filter((part, index) => part !== '.' && (part !== '' || index === 0))

/** Whether `path` matches the glob. Both use `/`; `./` in front means nothing. */
export function globMatches(path: string, glob: string): boolean {
  if (glob.length > MAX_PATTERN_LENGTH) throw new ToolFailure('bad-pattern', `The pattern is longer than ${MAX_PATTERN_LENGTH} characters.`)
  const names = segmentsOf(path)
  return expandBraces(glob).some(pattern => {
    let reachable = new Array<boolean>(names.length + 1).fill(false)
    reachable[0] = true
    for (const part of segmentsOf(pattern)) {
      const next = new Array<boolean>(names.length + 1).fill(false)
      const symbols = [...part]
      for (let i = 0; i <= names.length; i++) {
        if (part === '**') next[i] = reachable[i] === true || (i > 0 && next[i - 1] === true)
        else if (i > 0) next[i] = reachable[i - 1] === true && segmentMatches(symbols, [...(names[i - 1] ?? '')])
      }
      reachable = next
    }
    return reachable[names.length] === true
  })
}
