// Page: docs/levels.md, made from the attempts that the test runs.
// Owns: its words. Does not own: what is true (attempts.ts says what is expected, escape.test.ts that it is so).
import { attempts, type Attempt } from './attempts.ts'

const groups: readonly Attempt['group'][] = ['files', 'processes', 'network', 'kernel', 'control files', 'bounds']
const titles: Readonly<Record<Attempt['group'], string>> = {
  files: 'Files', processes: 'Other processes', network: 'Network', kernel: 'The kernel', 'control files': 'Files that steer tek and git', bounds: 'Bounds',
}

export function levelsPage(): string {
  const lines = [
    '# What stands around a command',
    '',
    'A command sees the files that the authority of its call covers and no others, has no network, and ends with everything it started. How strongly',
    'that is enforced is the machine\'s level; `tek doctor` names it, after trying it. It is found out once a boot and never lowered silently.',
    '',
    '- **Level 3**: [bubblewrap](https://github.com/containers/bubblewrap) with all namespaces, a filter of system calls, and a file system that holds only what is granted.',
    '- **Level 2**: nothing to install but the Perl that most systems have: namespaces, Landlock, the same filter of system calls (and no Unix sockets).',
    '- **Levels 1 and 0**: no sandbox. Commands are refused (`permit/no-sandbox`), unless `--unconfined` says that they may run with all your rights.',
    '',
    'This page is made from attempts that tek\'s tests make for real, at each level the testing machine has, as root and as nobody. A test fails when one of',
    'them ends otherwise than it says here. **open** means that the level does not stop it.',
    '',
  ]
  for (const group of groups) {
    lines.push(`## ${titles[group]}`, '', '| what a command tries | level 2 | level 3 |', '| --- | --- | --- |')
    for (const attempt of attempts.filter(each => each.group === group)) lines.push(`| ${attempt.what} | ${cell(attempt, 0)} | ${cell(attempt, 1)} |`)
    lines.push('')
  }
  lines.push(
    '## What no level stops', '',
    '- Whatever the granted files allow: a command with `fs.write("**")` can damage all of them, fill the disk with many of them, and write code that you run later',
    '  (a `Makefile`, a test, `node_modules`). Only the files that steer tek and git themselves are kept from it.',
    '- Mistakes in the kernel. The filter keeps its rarely used parts away; it is no virtual machine.',
    '- What can be learned from time and load, and from the system\'s own folders (`/usr`), which every command may read.',
    '- Within the 20 ms between two looks a command may go beyond its bounds of memory and processes. For users other than root the kernel also counts processes.',
    '- Nested repositories deeper than three folders, or beyond the first 200 folders, are not looked for: their hooks are ordinary files there. So are those of a repository that the command itself makes.',
    '',
  )
  return lines.join('\n')
}

function cell(attempt: Attempt, at: 0 | 1): string {
  const expected = at === 0 ? attempt.level2 : attempt.level3
  return expected === 'open' ? '**open**' : `stopped: ${typeof attempt.by === 'string' ? attempt.by : attempt.by[at]}`
}
