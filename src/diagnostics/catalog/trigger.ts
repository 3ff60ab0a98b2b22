// Trigger: what can be wrong with what begins a workflow by itself.
// Owns: the words. Does not own: finding it (compiler/3-check/triggers.ts), serving them (catalog/serve.ts).
import { defineDiagnostics } from '../diagnostic.ts'

export const triggerErrors = defineDiagnostics('trigger', {
  'bad-interval': {
    severity: 'error',
    message: (p: { problem: string }) => `\`every\` ${p.problem}.`,
    help: () => 'Write the time out, from 1s to 365d, or name a `const`: `every 10m`.',
  },
  'bad-cron': {
    severity: 'error',
    message: (p: { pattern: string; problem: string }) => `The pattern \`${p.pattern}\` ${p.problem}.`,
    help: () => 'Minute, hour, day of the month, month, weekday: `0 3 * * MON-FRI` is 03:00 on workdays, `*/15 * * * *` every quarter of an hour.',
  },
  'unknown-zone': {
    severity: 'error',
    message: (p: { zone: string }) => `There is no time zone \`${p.zone}\`.`,
    help: () => 'Zones are named as in the IANA database: `in "Europe/Berlin"`. Without a zone the clock is UTC.',
  },
  'unknown-files': {
    severity: 'error',
    message: () => 'Which files begin a run must be known before there is one.',
    help: () => 'Write the pattern out: `on file "src/**/*.ts"`. It may name consts, and parameters whose default is written out.',
  },
  'not-covered': {
    severity: 'error',
    message: (p: { pattern: string; place: string }) => `The files \`${p.pattern}\` are not among those that ${p.place} may read.`,
  },
  'bad-webhook': {
    severity: 'error',
    message: (p: { name: string; problem: string }) => `The webhook \`${p.name}\` ${p.problem}.`,
    help: () => 'Names are made of small letters, digits, `-` and `/`, at most 100: `on webhook "builds/done"`.',
  },
  'unknown-secret': {
    severity: 'error',
    message: (p: { name: string }) => `There is no secret \`${p.name}\` to check signatures with.`,
    help: (p: { name: string }) => `Declare it beside the workflow: \`secret ${p.name} = env("…")\`.`,
  },
  'unsigned-webhook': {
    severity: 'warning',
    message: (p: { name: string }) => `Whoever can reach the webhook \`${p.name}\` can begin runs: nothing proves who sends.`,
    help: (p: { name: string }) => `Declare \`secret hookKey = env("HOOK_KEY")\`, allow it with \`can env("HOOK_KEY")\`, and write \`on webhook "${p.name}" signed hookKey\`.`,
  },
  'missing-value': {
    severity: 'error',
    message: (p: { param: string; trigger: string; reason: string }) => `\`${p.trigger}\` gives the parameter \`${p.param}\` no value${p.reason}.`,
    help: (p: { param: string }) => `Give \`${p.param}\` a default: what begins by itself has nobody to ask.`,
  },
  'trusted-parameter': {
    severity: 'error',
    message: (p: { param: string; type: string }) => `Whoever sends to the webhook chooses \`${p.param}\`, and \`${p.type}\` has room for instructions.`,
    help: (p: { param: string; type: string }) => `Declare it \`${p.param}: untrusted ${p.type}\`, give it a narrower type, or a default: then the webhook does not set it.`,
  },
  'two-lists': {
    severity: 'error',
    message: (p: { first: string; second: string }) => `\`on file\` would not know which of \`${p.first}\` and \`${p.second}\` takes the files that changed.`,
    help: () => 'Give all but one of them a default.',
  },
  'too-many': {
    severity: 'error',
    message: (p: { workflow: string; limit: number }) => `\`${p.workflow}\` has more than ${p.limit} triggers.`,
    help: () => 'Join those that follow a clock (`cron "0 6,18 * * *"`), or write further workflows that call it.',
  },
  'not-of-a-loop': {
    severity: 'error',
    message: (p: { trigger: string }) => `A loop goes on by the clock, and \`${p.trigger}\` is none.`,
    help: () => 'Write `every 10m` or `cron "…"`, and let `sense` look at what changed; without either, a cycle follows the last one at once.',
  },
  'private-workflow': {
    severity: 'error',
    message: (p: { workflow: string }) => `\`${p.workflow}\` is private to its file, so nothing can begin it.`,
    help: (p: { workflow: string }) => `Call it \`${p.workflow.replace(/^_+/, '') || 'main'}\`, or take its trigger away.`,
  },
})
