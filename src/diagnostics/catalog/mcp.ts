// Mcp: what can be wrong with servers of the Model Context Protocol, from declaring one to calling it, and with being one.
// Owns: the words. Does not own: who notices (mcp/, cli).
import { didYouMean } from '#base/did-you-mean.ts'
import { defineDiagnostics } from '../diagnostic.ts'

const closed = (reason: string): string => (/[.!?…]$/.test(reason) ? reason : `${reason}.`)

export const mcpErrors = defineDiagnostics('mcp', {
  'bad-config': {
    severity: 'error',
    message: (p: { path: string; reason: string }) => `\`${p.path}\` cannot be read: ${closed(p.reason)}`,
    help: () => 'A server is `{"command": …, "args": […], "env": {…}}` or `{"url": …, "headers": {…}}` below `mcpServers`: docs/mcp.md.',
  },
  'bad-lock': {
    severity: 'error',
    message: (p: { path: string; reason: string }) => `\`${p.path}\` cannot be read: ${closed(p.reason)}`,
    help: () => '`tek mcp lock` writes it again, and shows what differs.',
  },
  'not-locked': {
    severity: 'error',
    message: (p: { server: string; isDeclared?: boolean; known?: readonly string[] }) => `The server \`${p.server}\` is not in the lock.`,
    help: (p: { server: string; isDeclared?: boolean; known?: readonly string[] }) => {
      if (p.isDeclared === true) return `\`tek mcp lock ${p.server}\` connects to it, shows its tools and writes them down.`
      const [near] = didYouMean(p.server, p.known ?? [])
      return near === undefined ? 'Declare it in `.mcp.json`, then `tek mcp lock`.' : `Did you mean \`${near}\`?`
    },
  },
  'unknown-server': {
    severity: 'error',
    message: (p: { server: string; known: readonly string[] }) => `\`.mcp.json\` declares no server \`${p.server}\`.`,
    help: (p: { server: string; known: readonly string[] }) => {
      const [near] = didYouMean(p.server, p.known)
      if (near !== undefined) return `Did you mean \`${near}\`?`
      return p.known.length === 0 ? 'There is no `.mcp.json` in this folder, or no server in it.' : `It declares ${p.known.join(', ')}.`
    },
  },
  'not-agreed': {
    severity: 'error',
    message: (p: { servers: readonly string[] }) => `The lock differs from what ${p.servers.map(each => `\`${each}\``).join(', ')} ${p.servers.length === 1 ? 'says' : 'say'} now; nothing was written.`,
    help: () => '`tek mcp lock` in a terminal asks; `--yes` agrees to what is shown.',
  },
  changed: {
    severity: 'error',
    message: (p: { server: string; what: string }) => `The server \`${p.server}\` is not what was agreed: ${closed(p.what)}`,
    help: (p: { server: string }) => `\`tek mcp lock ${p.server}\` shows what changed, and asks.`,
  },
  'not-started': {
    severity: 'error',
    message: (p: { server: string; reason: string; hint: string }) => `The server \`${p.server}\` cannot be used: ${closed(p.reason)}`,
    help: (p: { server: string; reason: string; hint: string }) => p.hint,
  },
  'missing-variable': {
    severity: 'error',
    message: (p: { server: string; name: string }) => `The server \`${p.server}\` needs the environment variable \`${p.name}\`, which is not set.`,
    help: (p: { server: string; name: string }) => `Set it before tek is started, or write \`\${${p.name}:-…}\` in \`.mcp.json\`.`,
  },
  died: {
    severity: 'error',
    message: (p: { server: string; reason: string }) => `The server \`${p.server}\` ended in the middle of a call: ${closed(p.reason)}`,
    help: () => 'The next call starts it again. What this call did may have been done.',
  },
  'gave-up': {
    severity: 'error',
    message: (p: { server: string; times: number }) => `The server \`${p.server}\` ended ${p.times} times in this run; it is not started again.`,
    help: () => 'The run’s log holds what it printed: `tek logs`.',
  },
  failed: {
    severity: 'error',
    message: (p: { tool: string; says: string }) => `\`${p.tool}\` failed: ${closed(p.says)}`,
  },
  refused: {
    severity: 'error',
    message: (p: { tool: string; reason: string }) => `The server did not take the call of \`${p.tool}\`: ${closed(p.reason)}`,
  },
  'bad-answer': {
    severity: 'error',
    message: (p: { tool: string; reason: string }) => `What \`${p.tool}\` answered cannot be used: ${closed(p.reason)}`,
  },
  'not-text': {
    severity: 'error',
    message: (p: { tool: string; kind: string }) => `\`${p.tool}\` answered with ${p.kind}, and its result is text.`,
    help: (p: { tool: string; kind: string }) => `Name the tool in \`"tek": {"content": ["${p.tool.split('.').at(-1)}"]}\` of \`.mcp.json\` and lock again: then its result is a list of pieces.`,
  },
  'timed-out': {
    severity: 'error',
    message: (p: { tool: string; seconds: number }) => `\`${p.tool}\` had no answer after ${p.seconds} s.`,
    help: () => '`timeout` on the task sets another time, up to an hour.',
  },
  busy: {
    severity: 'error',
    message: (p: { most: number }) => `${p.most} calls are under way, and no more are taken at once.`,
    help: () => 'Call again when one of them has ended.',
  },
  'nothing-to-serve': {
    severity: 'error',
    message: (p: { program: string }) => `\`${p.program}\` has no workflow that can be a tool.`,
    help: () => 'A public workflow is one: `workflow name(…) { … }` in the file itself.',
  },
})
