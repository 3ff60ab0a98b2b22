// Permit: what the person who runs a program has not allowed, and what the guard refuses while it runs.
// Owns: the words for those who show them as diagnostics. The guard's own refusals say what was wanted (interpreter/guard/guard.ts).
import { defineDiagnostics } from '../diagnostic.ts'

export const permitErrors = defineDiagnostics('permit', {
  denied: {
    severity: 'error',
    message: (p: { action: string }) => `This may not ${p.action}: nothing grants it.`,
    help: () => 'If it should, write the `can` clause in the file and in the workflow or agent that does it.',
  },
  needed: {
    severity: 'error',
    message: (p: { program: string; missing: readonly string[] }) => `\`${p.program}\` asks for what nobody has allowed it here: ${listed(p.missing)}.`,
  },
  'not-given': {
    severity: 'error',
    message: (p: { program: string }) => `\`${p.program}\` was not run: it was not allowed what it asks for.`,
    help: () => '`tek plan PROGRAM` shows what it does with it. Nothing was recorded: the next run asks again.',
  },
  expired: {
    severity: 'error',
    message: (p: { program: string; on: string }) => `What \`${p.program}\` was allowed here ended on ${p.on}.`,
    help: () => 'Run it on a terminal to be asked again, or write a later date after `expires:` in `tek.permits.yaml`.',
  },
  'bad-file': {
    severity: 'error',
    message: (p: { reason: string }) => `\`tek.permits.yaml\` cannot be used: ${p.reason}.`,
    help: () => 'Mend it, or take it away to be asked again. tek changes nothing in a file that it cannot read.',
  },
  'newer-file': {
    severity: 'error',
    message: (p: { version: string; known: number }) => `\`tek.permits.yaml\` has version ${p.version}, and this tek knows version ${p.known}.`,
    help: () => 'Use the tek that wrote it, or a newer one.',
  },
  'unknown-grant': {
    severity: 'error',
    message: (p: { grant: string; reason: string }) => `\`${p.grant}\` is no grant: ${p.reason}.`,
    help: () => 'A grant is written as after `can` in a program: `fs.read("src/**")`, `exec("npm", "test")`, `net("api.github.com")`.',
  },
  'no-sandbox': {
    severity: 'error',
    message: () => 'This machine has no sandbox, so no command is started on it.',
    help: () => 'Install bubblewrap (`apt install bubblewrap`); `tek doctor` says what is missing. `--unconfined` runs commands with all your rights for this time.',
  },
  'too-many-files': {
    severity: 'error',
    message: (p: { most: number }) => `A command cannot be shown more than ${p.most} files one by one, and the grants that hold for it stand for more.`,
    help: () => 'Grant the folder they are in: `fs.read("src/**")` instead of `fs.read("src/**/*.ts")`.',
  },
  'none-recorded': {
    severity: 'error',
    message: (p: { program: string }) => `\`tek.permits.yaml\` has no permit for \`${p.program}\`.`,
    help: () => '`tek permits` lists those it has.',
  },
})

const MAX_LISTED = 5

function listed(grants: readonly string[]): string {
  const more = grants.length - MAX_LISTED
  return `${grants.slice(0, MAX_LISTED).map(each => `\`${each}\``).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
