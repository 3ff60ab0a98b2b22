// Attacks by commands: what reaches a program that may run, and which other programs or options can be smuggled in.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Attack, type Family, stoppedCall } from './attack.ts'

const granted = [
  'exec("git", "status")', 'exec("git", "log", "*")', 'exec("git", "fetch", "*")', 'exec("tar", "-xf", "*")', 'exec("ssh", "*", "uptime")', 'exec("cat", "src/*")', 'exec("find", "*", "-name", "*")', 'exec("./tool.sh")', 'exec("sort", "*")',
]

function refused(id: string, tries: string, argv: readonly string[], options: { env?: Record<string, string>; cwd?: string } = {}): Attack {
  return {
    id, tries, by: 'guard', with: 'permit/denied',
    async run(world) {
      writeFileSync(join(world.cwd, 'tool.sh'), '#!/bin/sh\necho tool', { mode: 0o755 })
      writeFileSync(join(world.cwd, 'src/tool.sh'), '#!/bin/sh\necho evil > ../../harm', { mode: 0o755 })
      world.seal()
      return stoppedCall(() => world.may(...granted).run(argv[0]!, argv.slice(1), options))
    },
  }
}

/** An argument that a shell would act on, given to `printf %s`: what comes out is what went in. */
function plain(id: string, tries: string, text: string): Attack {
  return {
    id, tries: `${tries}; no shell is asked, it is an argument`, by: 'meaning', with: 'printed as it is',
    async run(world) {
      world.seal()
      const { stdout } = await world.may('exec("printf", "%s", "**")', 'fs.read("**")').run('printf', ['%s', text])
      return stdout === text ? { by: 'meaning', with: 'printed as it is' } : { by: 'nothing', with: stdout }
    },
  }
}

const attacks: readonly Attack[] = [
  plain('semicolon', 'begin another command after `;`', 'x; touch ../harm'),
  plain('substitution', 'begin one by `$(…)`', '$(touch ../harm)'),
  plain('backticks', 'begin one by backticks', '`touch ../harm`'),
  plain('pipe', 'give the output to another command', 'x | tee ../harm'),
  plain('redirect', 'write the output to a file', 'x > ../harm'),
  plain('newline', 'begin another line', 'x\ntouch ../harm'),
  plain('variable', 'read a variable', '$HOME ${PATH} ~'),
  plain('wildcard', 'have a wildcard expanded', '* /etc/*'),
  refused('other-program', 'run a shell', ['sh', '-c', 'git status']),
  refused('more-options', 'add an option to a granted command', ['git', 'status', '--porcelain=v2']),
  refused('config-option', 'make git run a program by `-c`', ['git', '-c', 'core.pager=sh', 'log', 'main']),
  refused('exec-path', 'give git another folder of programs', ['git', '--exec-path=/tmp', 'status']),
  refused('output-option', 'make git write a file where a revision is granted', ['git', 'log', '--output=/tmp/x']),
  refused('upload-pack', 'make git run a program on the other side', ['git', 'fetch', '--upload-pack=sh']),
  refused('ext-transport', 'do so with an option in place of the argument', ['git', 'fetch', '-o', 'ext::sh']),
  refused('proxy-command', 'make ssh run a program', ['ssh', '-oProxyCommand=sh', 'uptime']),
  refused('checkpoint-action', 'make tar run a program', ['tar', '-xf', '--checkpoint-action=exec=sh']),
  refused('to-command', 'add one more option to tar', ['tar', '-xf', 'a.tar', '--to-command=sh']),
  refused('find-exec', 'make find run a program', ['find', 'src', '-exec', 'sh']),
  refused('find-delete', 'make find remove files', ['find', 'src', '-name', 'x', '-delete']),
  refused('sort-output', 'make sort write a file', ['sort', '-o../harm']),
  refused('dots-in-argument', 'leave the granted folder in an argument', ['cat', 'src/../../secret.txt']),
  refused('absolute-argument', 'name a file outside in an argument', ['cat', '/etc/passwd']),
  refused('two-for-one', 'give two arguments where one is granted', ['cat', 'src/a', 'src/b']),
  refused('two-for-star', 'give two where `*` stands for one', ['git', 'log', 'a', 'b']),
  refused('nul-join', 'join two arguments by NUL, so that they pass for what is granted', ['git', 'log\0main']),
  refused('joined', 'give a command in one piece', ['git status']),
  refused('capitals', 'name the program in capitals', ['GIT', 'status']),
  refused('by-path', 'name another program of the same name', ['./src/tool.sh']),
  refused('by-absolute-path', 'name the program by where it may lie', ['/usr/bin/git', 'status']),
  refused('path-with-dots', 'reach another program by dots', ['./src/../src/tool.sh']),
  refused('nul', 'cut an argument off with NUL', ['git', 'status\0--all']),
  refused('no-program', 'run nothing', ['', 'status']),
  ...['LD_PRELOAD', 'LD_LIBRARY_PATH', 'NODE_OPTIONS', 'PATH', 'BASH_ENV', 'GIT_SSH_COMMAND', 'GIT_EXTERNAL_DIFF', 'GIT_CONFIG_COUNT', 'PYTHONPATH', 'PERL5OPT', 'npm_config_script_shell', 'HOME'].map(name =>
    refused(`env-${name.toLowerCase().replaceAll('_', '-')}`, `make a granted program load code by the variable \`${name}\``, ['git', 'status'], { env: { [name]: '/tmp/evil' } })),
  refused('start-outside', 'start a granted program outside of the folder', ['git', 'status'], { cwd: '..' }),
  {
    id: 'shadow', tries: 'put a program of a granted name into the project, where PATH finds it first', by: 'meaning', with: 'the machine\'s own ran',
    async run(world) {
      writeFileSync(join(world.cwd, 'src/printf'), '#!/bin/sh\ntouch ../harm; echo evil', { mode: 0o755 })
      world.seal()
      const context = world.under([['exec("printf", "x")', 'fs.read("**")']], { PATH: `${world.cwd}/src:.:${process.env['PATH'] ?? ''}` })
      return (await context.run('printf', ['x'])).stdout === 'x' ? { by: 'meaning', with: 'the machine\'s own ran' } : { by: 'nothing', with: 'it ran' }
    },
  },
  {
    id: 'inherit', tries: 'read a key from the environment of the process that started it', by: 'meaning', with: 'not inherited',
    async run(world) {
      process.env['TEK_ATTACK_KEY'] = 'canary'
      const { stdout } = await world.may('exec("env")', 'fs.read("**")').run('env', [])
      delete process.env['TEK_ATTACK_KEY']
      expect(stdout).toContain('PATH=')
      return stdout.includes('canary') ? { by: 'nothing', with: 'inherited' } : { by: 'meaning', with: 'not inherited' }
    },
  },
  {
    id: 'dash-file', tries: 'have a file named like an option found and given to a command', by: 'meaning', with: './-rf',
    async run(world) {
      world.put('-rf', 'x')
      const [found] = await world.may('fs.read("*")').files.glob('-*')
      return { by: found?.startsWith('./') ? 'meaning' : 'nothing', with: found ?? '' }
    },
  },
]

export const commandAttacks: Family = { name: 'Commands', about: `Under these grants: ${granted.map(each => `\`${each}\``).join(' ')}.`, attacks }
