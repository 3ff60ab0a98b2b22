// Plugin: what can be wrong with a plugin, from finding it to calling it.
// Owns: the words. Does not own: who notices (plugins/, plugin-api/invoke.ts).
import { defineDiagnostics } from '../diagnostic.ts'

/** A reason that comes from elsewhere, closed like a sentence. */
const closed = (reason: string): string => (/[.!?…]$/.test(reason) ? reason : `${reason}.`)

function whereItLooks(source: string): string {
  if (/^\.{0,2}\//.test(source)) return 'The path starts at the folder of the file that names it.'
  const isPackage = /^(?:@[\w.-]+\/)?[\w.-]+$/.test(source)
  return isPackage ? `If it is a package, install it: \`npm install ${source}\`.` : 'Write a path that starts with `./`, or the name of an installed package.'
}

export const pluginErrors = defineDiagnostics('plugin', {
  'not-found': {
    severity: 'error',
    message: (p: { source: string; looked: string }) => `There is no plugin \`${p.source}\`: ${p.looked}.`,
    help: (p: { source: string; looked: string }) => whereItLooks(p.source),
  },
  'does-not-build': {
    severity: 'error',
    message: (p: { source: string; reason: string }) => `The plugin \`${p.source}\` does not build: ${closed(p.reason)}`,
  },
  'imports-outside': {
    severity: 'error',
    message: (p: { source: string; file: string }) => `The plugin \`${p.source}\` imports ${p.file}, which lies outside its folder.`,
    help: () => 'Move the file beside the plugin, or make it a package and install it.',
  },
  'native-code': {
    severity: 'error',
    message: (p: { source: string; file: string }) => `The plugin \`${p.source}\` needs native code (${p.file}), which tek does not load.`,
    help: () => 'Use a package without native code, or call a program with `context.run`.',
  },
  'needs-node': {
    severity: 'error',
    message: (p: { source: string; module: string; place: string }) => `The plugin \`${p.source}\` imports \`${p.module}\` of Node (${p.place}) without saying that it needs Node.`,
    help: () => "Its author can use the `context` instead, or write `needsNode: 'why'` into `definePlugin({ … })`.",
  },
  'no-sandbox': {
    severity: 'error',
    message: (p: { source: string; reason: string; because: string }) => `The plugin \`${p.source}\` needs Node (${p.because}), and a process of it cannot be confined here: ${closed(p.reason)}`,
    help: () => '`tek doctor` says what this machine can confine and what would have to be installed. `tek run … --unconfined` runs it with all your rights for this time.',
  },
  stuck: {
    severity: 'error',
    message: (p: { tool: string }) => `\`${p.tool}\` waits for something that cannot come.`,
    help: () => 'Every promise in a plugin must lead to a call of the context.',
  },
  'too-large': {
    severity: 'error',
    message: (p: { source: string; limitMb: number }) => `The plugin \`${p.source}\` is larger than ${p.limitMb} MB when it is put together.`,
    help: () => 'Import only the parts of a package that are used.',
  },
  'cannot-be-kept': {
    severity: 'error',
    message: (p: { source: string; reason: string }) => `The plugin \`${p.source}\` cannot be put into \`.tek/cache\`: ${closed(p.reason)}`,
    help: () => 'Make the project folder writable, or free some space.',
  },
  'not-a-plugin': {
    severity: 'error',
    message: (p: { source: string; reason: string }) => `\`${p.source}\` is no plugin: ${p.reason}.`,
    help: () => "A plugin ends in `export default definePlugin({ … })`, with `definePlugin` from 'tek-lang/plugin'.",
  },
  'bad-definition': {
    severity: 'error',
    message: (p: { source: string; where: string; reason: string }) => `The plugin \`${p.source}\` cannot be used: ${p.where}: ${closed(p.reason)}`,
    help: () => 'This is for its author: `docs/plugins.md` says what a definition may hold.',
  },
  'reserved-name': {
    severity: 'error',
    message: (p: { source: string; name: string }) => `The plugin \`${p.source}\` calls itself \`${p.name}\`, a name of tek's own.`,
    help: () => 'Its author must give it another `name`; `as` in the program does not change what its grants are called.',
  },
  'same-name': {
    severity: 'error',
    message: (p: { name: string; first: string; second: string }) => `Two plugins call themselves \`${p.name}\`: \`${p.first}\` and \`${p.second}\`.`,
    help: () => 'A grant for one would be a grant for the other. One of them needs another `name` in its definition; `as` does not change it.',
  },
  'api-mismatch': {
    severity: 'error',
    message: (p: { source: string; needs: string; have: string }) => `The plugin \`${p.source}\` was written for version ${p.needs} of the plugin interface; this tek has ${p.have}.`,
    help: () => 'Install a version of the plugin, or of tek, that fits the other.',
  },
  'failed-to-load': {
    severity: 'error',
    message: (p: { source: string; reason: string }) => `The plugin \`${p.source}\` cannot be loaded: ${closed(p.reason)}`,
  },
  changed: {
    severity: 'error',
    message: (p: { source: string }) => `The plugin \`${p.source}\` is not the one this program was checked with.`,
    help: () => 'Check the program again: `tek check`.',
  },
  died: {
    severity: 'error',
    message: (p: { plugin: string; reason: string }) => `The plugin \`${p.plugin}\` ended in the middle of its work: ${closed(p.reason)}`,
    help: () => 'It is started again for the next attempt, at most 3 times in a run.',
  },
  'gave-up': {
    severity: 'error',
    message: (p: { plugin: string; times: number }) => `The plugin \`${p.plugin}\` has ended ${p.times} times in the middle of its work and is not started again.`,
    help: () => 'Its last words stand in the details of the failures before this one.',
  },
  'unknown-tool': {
    severity: 'error',
    message: (p: { plugin: string; tool: string }) => `The plugin \`${p.plugin}\` has no \`${p.tool}\`.`,
  },
  'bad-input': {
    severity: 'error',
    message: (p: { tool: string; param: string; reason: string }) => `\`${p.param}\` of \`${p.tool}\` cannot be that: ${closed(p.reason)}`,
  },
  'bad-output': {
    severity: 'error',
    message: (p: { tool: string; reason: string }) => `\`${p.tool}\` gave back something else than it declares: ${closed(p.reason)}`,
    help: () => 'This is a mistake in the plugin; tell its author.',
  },
  crashed: {
    severity: 'error',
    message: (p: { tool: string; reason: string }) => `\`${p.tool}\` crashed: ${closed(p.reason)}`,
    help: () => 'This is a mistake in the plugin; the details hold its stack for the author.',
  },
  'bad-manifest': {
    severity: 'error',
    message: (p: { file: string; reason: string }) => `\`${p.file}\` does not describe a plugin: ${closed(p.reason)}`,
    help: () => '`tek plugin new NAME` writes one that does; `docs/plugins.md` says what it holds.',
  },
  'install-script': {
    severity: 'error',
    message: (p: { script: string }) => `The package runs \`${p.script}\` when it is installed, outside of everything that tek confines.`,
    help: () => 'A plugin is put together from its sources by tek: take the script away.',
  },
  'unstated-api': {
    severity: 'warning',
    message: () => `The plugin does not say for which version of the plugin interface it was written.`,
    help: (p: { have: string }) => `Write \`api: '${p.have}'\` into \`definePlugin({ … })\`: an older tek then says what is wrong.`,
  },
  undocumented: {
    severity: 'warning',
    message: (p: { where: string }) => `Nothing says what it is: ${p.where}.`,
    help: () => "Write a `doc`, or `.describe('…')` behind the schema of a parameter: people and models choose by it.",
  },
  'unused-grant': {
    severity: 'warning',
    message: (p: { where: string; grant: string }) => `The grant \`${p.grant}\` is ${p.where} and never used.`,
    help: () => 'Take it away: whoever reviews a program is asked for it.',
  },
  'undeclared-grant': {
    severity: 'error',
    message: (p: { tool: string; action: string }) => `The tool \`${p.tool}\` does what nothing in its \`needs\` covers (${p.action}): such a call is always refused.`,
    help: () => "Say so: `needs: { 'fs.read': ['$file'] }`, or a grant of the plugin's own that implies it.",
  },
  'implausible-effect': {
    severity: 'error',
    message: (p: { tool: string; reason: string }) => `The tool \`${p.tool}\` is \`pure\`, but ${closed(p.reason)}`,
    help: () => 'Make it with `reads` where it looks at the world, with `writes` where it changes it.',
  },
  'bad-example': {
    severity: 'error',
    message: (p: { tool: string; reason: string }) => `The example of \`${p.tool}\` does not hold: ${closed(p.reason)}`,
    help: () => 'An example is an expression of tek that is true, with the tool called by the name of the plugin: `words.count("a b") == 2`.',
  },
  'breaks-contract': {
    severity: 'error',
    message: (p: { where: string; reason: string }) => `${p.where} does not keep its contract: ${closed(p.reason)}`,
    help: () => 'What each kind owes is in `docs/plugins.md`, under "What is checked".',
  },
  'not-reproducible': {
    severity: 'error',
    message: (p: { source: string }) => `Put together twice, the plugin \`${p.source}\` is not the same.`,
    help: () => 'Something writes its files while they are read: stop it, and check again.',
  },
})
