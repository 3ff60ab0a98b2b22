// Attacks on the files that steer tek and git: a program with every right to the files of its folder tries to change what it may do.
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { ToolContext } from '#plugin-api/context.ts'
import { type Attack, type Family, stoppedCall } from './attack.ts'
import type { World } from './world.ts'

const everything = ['fs.read("**")', 'fs.write("**")', 'fs.read("/**")', 'fs.write("/**")']

function attempt(id: string, tries: string, call: (context: ToolContext, world: World) => Promise<unknown>, grants: readonly string[] = everything): Attack {
  return {
    id, tries, by: 'guard', with: 'permit/denied',
    async run(world) {
      const kept = ['.tek/tek.db', 'tek.permits.yaml', '.git/hooks/pre-commit', '.git/config'].map(path => [path, world.read(path)] as const)
      world.put('tree/hooks/post-checkout', '#!/bin/sh\n')
      world.put('tree/config', '[core]\n')
      world.seal()
      const stopped = await stoppedCall(() => call(world.may(...grants), world))
      for (const [path, text] of kept) expect(world.read(path)).toBe(text)
      for (const path of ['sub/.git', '.git/hooks/post-checkout', '.tek/STOP', 'sub/.git/config']) expect(world.has(path)).toBe(false)
      return stopped
    },
  }
}

const attacks: readonly Attack[] = [
  attempt('permits-write', 'widen its own permits', ({ files }) => files.writeText('tek.permits.yaml', 'permits: ["exec(\\"sh\\", \\"**\\")"]')),
  attempt('permits-append', 'add a permit at the end', ({ files }) => files.append('tek.permits.yaml', '- exec("sh", "**")\n')),
  attempt('permits-spelling', 'write them in another spelling', ({ files }) => files.writeText('Tek.Permits.YAML', 'x')),
  attempt('permits-move', 'put another file in their place', ({ files }) => files.move('notes.txt', 'tek.permits.yaml')),
  attempt('permits-link', 'write them through a link', ({ files }, world) => { symlinkSync('../tek.permits.yaml', join(world.cwd, 'src/link')); return files.writeText('src/link', 'x') }),
  attempt('permits-remove', 'remove them, to be asked again', ({ files }) => files.remove('tek.permits.yaml')),
  attempt('state-read', 'read what other runs have recorded', ({ files }) => files.readText('.tek/tek.db')),
  attempt('state-write', 'change what other runs have recorded', ({ files }) => files.writeText('.tek/tek.db', 'x')),
  attempt('state-hidden-letter', 'write there with a letter that is not seen', ({ files }) => files.writeText('.t\u200bek/tek.db', 'x')),
  attempt('state-dot', 'write there with a dot some systems drop', ({ files }) => files.writeText('.tek./tek.db', 'x')),
  attempt('stop-file', 'stop every run of the folder', ({ files }) => files.writeText('.tek/STOP', '')),
  attempt('state-away', 'move the state away', ({ files }) => files.move('.tek', 'elsewhere')),
  attempt('folder-away', 'remove the whole folder with it', ({ files }) => files.remove('.')),
  attempt('hook-write', 'plant a hook that git runs', ({ files }) => files.writeText('.git/hooks/post-checkout', '#!/bin/sh\n')),
  attempt('hook-move', 'move a script to where git runs it', ({ files }) => files.move('notes.txt', '.git/hooks/post-checkout')),
  attempt('git-config', 'make git run a program by its settings', ({ files }) => files.append('.git/config', '[core]\n\tfsmonitor = sh\n')),
  attempt('git-config-of-module', 'do so in the settings of a submodule', ({ files }) => files.writeText('.git/modules/x/config', 'x')),
  attempt('git-config-worktree', 'do so in the settings of a working tree', ({ files }) => files.writeText('.git/config.worktree', 'x')),
  attempt('git-commondir', 'send git to another folder for its settings', ({ files }) => files.writeText('.git/commondir', '../tree')),
  attempt('git-spelling', 'do so in capitals', ({ files }) => files.writeText('.GIT/Hooks/x', 'x')),
  attempt('git-file', 'make a file `.git` that sends git elsewhere', ({ files }) => files.writeText('sub/.git', 'gitdir: ../tree')),
  attempt('git-file-move', 'move such a file into place', ({ files }) => files.move('notes.txt', 'sub/.git')),
  attempt('git-tree-move', 'make hooks under another name and move the folder to `.git`', ({ files }) => files.move('tree', 'sub/.git')),
  attempt('git-folder-away', 'remove `.git` with the hooks of others', ({ files }) => files.remove('.git')),
  attempt('deeper-remove', 'remove a folder and what is in it under a grant of the folder\'s name only', ({ files }) => files.remove('src'), ['fs.write("*")', 'fs.read("**")']),
  attempt('deeper-move', 'move files that may not be read to where they may be', ({ files }) => files.move('src', 'open/src'), ['fs.write("**")', 'fs.read("*")', 'fs.read("open/**")']),
  attempt('deeper-target', 'move a folder to where only its name may be written', ({ files }) => files.move('src', 'x'), ['fs.write("src/**")', 'fs.read("**")', 'fs.write("*")']),
]

export const controlFileAttacks: Family = { name: 'Files that steer tek and git', about: 'A program that may read and write everything, `fs.read("/**")` and `fs.write("/**")` included, unless other grants are named.', attacks }
