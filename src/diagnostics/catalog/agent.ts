// Agent: what can be wrong with an agent or a model.
// Owns: the words. Does not own: finding it (compiler/3-check).
import { defineDiagnostics } from '../diagnostic.ts'

export const agentErrors = defineDiagnostics('agent', {
  'leads-itself': {
    severity: 'error',
    message: (p: { path: string }) => `An agent comes to ask itself: ${p.path}.`,
    help: () => 'Let one of them lead the others; a workflow that is a tool of an agent may not ask that agent.',
  },
  'exceeds': {
    severity: 'error',
    message: (p: { agent: string; grant: string; place: string }) => `The agent \`${p.agent}\` asks for \`${p.grant}\`, which is more than ${p.place} has.`,
  },
  'lethal-trifecta': {
    severity: 'error',
    message: (p: { agent: string }) => `\`${p.agent}\` reads private data, takes in text from outside and sends data out.`,
    help: () => 'Take one of the three away: let one agent read and another send. Or write `accept risk "…"`, with your reason, at the top of the file.',
  },
  'no-model': {
    severity: 'error',
    message: (p: { agent: string }) => `Nobody answers for \`${p.agent}\`: it has no model.`,
    help: (p: { agent: string }) => `Declare one, \`model smart = anthropic("…")\`, and name it in \`${p.agent}\`: \`model smart\`.`,
  },
  'bad-tools': {
    severity: 'error',
    message: (p: { agent: string; problem: string }) => `The model of \`${p.agent}\` cannot be shown these tools: ${p.problem}.`,
    help: () => 'Models know a tool by its parts joined with `_`: `fs.read` is `fs_read`.',
  },
  'tool-not-offered': {
    severity: 'error',
    message: (p: { tool: string; param: string; what: string }) => `No model can call \`${p.tool}\`: its parameter \`${p.param}\` takes ${p.what}.`,
    help: () => 'Write a workflow that calls it, with parameters that are plain values, and name that as the tool.',
  },
  'bad-approve': {
    severity: 'error',
    message: (p: { agent: string; problem: string }) => `\`approve\` of \`${p.agent}\` ${p.problem}.`,
    help: () => 'It takes tools of the same agent: `approve fs.write`. A person is asked before each call of them.',
  },
  'bad-memory': {
    severity: 'error',
    message: (p: { problem: string }) => `\`memory\` ${p.problem}.`,
    help: () => 'Such as `memory run keep 20k` or `memory thread "support" keep 50k summarise`.',
  },
  'nobody-led': {
    severity: 'error',
    message: (p: { agent: string; tool: string }) => `\`${p.tool}\` has nobody to ask: \`${p.agent}\` leads no agent.`,
    help: (p: { agent: string }) => `Say whom it leads: \`agent ${p.agent} leads OTHER { … }\`.`,
  },
  'no-team': {
    severity: 'warning',
    message: (p: { agent: string; tool: string }) => `\`${p.tool}\` reaches nobody: ${p.tool.endsWith('askLead') ? `no agent leads \`${p.agent}\`` : `\`${p.agent}\` leads nobody, and nobody leads it`}.`,
    help: () => 'An agent works in a team when another one `leads` it.',
  },
  'only-for-agents': {
    severity: 'error',
    message: (p: { tool: string }) => `\`${p.tool}\` is a tool of agents: outside a conversation there is nobody to speak with.`,
    help: (p: { tool: string }) => `Name it among the \`tools\` of an agent: \`tools ${p.tool}\`.`,
  },
  'answer-not-json': {
    severity: 'error',
    message: (p: { what: string }) => `No model can answer with this type: it holds ${p.what}.`,
  },
  'bad-fallback': {
    severity: 'error',
    message: (p: { model: string; problem: string }) => `The models after \`${p.model}\` ${p.problem}.`,
    help: () => 'Let the last one have no `fallback`.',
  },
  'bad-key': {
    severity: 'error',
    message: () => 'The key of a model is a secret of this program.',
    help: () => 'Declare it, `secret account = env("API_KEY")`, and name it here: `key: account`.',
  },
  'not-written-out': {
    severity: 'error',
    message: (p: { option: string }) => `\`${p.option}\` of a model is written out, in place or as a \`const\`: it decides what a run may cost.`,
  },
  // Failures of tasks; they say it with their own facts where they arise (interpreter/engine/failures.ts).
  'turns-used-up': { severity: 'error', message: () => 'An agent used up its turns without an answer.' },
  'tokens-used-up': { severity: 'error', message: () => 'An agent used up its tokens without an answer.' },
  'cost-used-up': { severity: 'error', message: () => 'An agent used up its money without an answer.' },
  'no-price': { severity: 'error', message: () => 'What a model costs is not known, so a limit of cost cannot be kept.' },
  'refused': { severity: 'error', message: () => 'A model refused to answer.' },
  'repeats-itself': { severity: 'error', message: () => 'An agent did the same thing again and again, with the same outcome.' },
  'answer-cut-off': { severity: 'error', message: () => 'An answer is longer than the tokens allowed for it.' },
  'wrong-answer': { severity: 'error', message: () => 'The answer of an agent is not of its type, and it did not mend it.' },
  'objective-missed': { severity: 'error', message: () => 'The answer of an agent is not what was wanted, and it did not mend it.' },
  'stopped': { severity: 'error', message: () => 'A person stopped an agent for this run.' },
  'given-up': { severity: 'error', message: () => 'The model of an agent failed again and again, so it is asked nothing more in this run.' },
  'context-full': { severity: 'error', message: () => 'A conversation is longer than its model can hold.' },
})
