// Serve: what can stand in the way of `tek serve`.
import { defineDiagnostics } from '../diagnostic.ts'

export const serveErrors = defineDiagnostics('serve', {
  'already-served': {
    severity: 'error',
    message: (p: { pid: number; hostName: string }) => `Another \`tek serve\` serves this folder: process ${p.pid} on ${p.hostName}.`,
    help: () => 'Stop that one first, or name all programs in one `tek serve`.',
  },
  'taken-over': {
    severity: 'error',
    message: () => 'Another `tek serve` serves this folder by now.',
    help: () => 'This process was suspended for longer than its lease holds. Its runs can be resumed, and the other one does so.',
  },
  'taken-up-too-often': {
    severity: 'error',
    message: (p: { times: number }) => `The run was taken up ${p.times} times and never came to an end.`,
    help: () => 'Perhaps it takes the process down with it. `tek logs RUN` shows what it did last, and `tek resume RUN` goes on with it in front of you.',
  },
  'no-triggers': {
    severity: 'error',
    message: (p: { program: string }) => `No workflow of \`${p.program}\` has a trigger.`,
    help: () => 'Give one a trigger (`every 10m`, `cron "0 6 * * *"`, `on file "src/**"`, `on webhook "name"`), or leave the file out: `tek serve` alone wakes runs that wait.',
  },
  'bad-trigger': {
    severity: 'error',
    message: (p: { workflow: string; problem: string }) => `A trigger of \`${p.workflow}\` cannot be served: ${p.problem}.`,
    help: () => 'Mend the trigger in the program.',
  },
  'missing-argument': {
    severity: 'error',
    message: (p: { workflow: string; name: string }) => `\`${p.workflow}\` has a trigger that gives its parameter \`${p.name}\` no value.`,
    help: (p: { workflow: string; name: string }) => `Give \`${p.name}\` a default.`,
  },
  'webhook-twice': {
    severity: 'error',
    message: (p: { name: string; workflows: readonly string[] }) => `The webhook \`${p.name}\` stands for ${p.workflows.map(each => `\`${each}\``).join(' and ')}.`,
    help: () => 'Give each webhook a name of its own.',
  },
  'unsigned-webhook': {
    severity: 'error',
    message: (p: { name: string; address: string }) => `The webhook \`${p.name}\` has no secret, so whoever reaches ${p.address} could begin runs.`,
    help: () => 'Let the program name the secret that signs it, serve on 127.0.0.1 (without `--bind`), or accept it with `--allow-unsigned`.',
  },
  'no-address': {
    severity: 'error',
    message: (p: { address: string; reason: string }) => `Webhooks cannot be received at ${p.address}: ${p.reason}.`,
    help: () => 'Choose another `--port` or `--bind`; without `--port`, one that is free is taken.',
  },
  'too-many-files': {
    severity: 'error',
    message: (p: { pattern: string; most: number }) => `\`${p.pattern}\` stands for more than ${p.most.toLocaleString('en')} files, which are too many to watch.`,
    help: () => 'Use a narrower pattern.',
  },
})
