// Model: why a question to a model came to nothing. The codes of model/chat.ts, and what only a test can lack.
// Owns: the words where a provider says none of its own. Does not own: finding it (providers, interpreter/gateway).
import { defineDiagnostics } from '../diagnostic.ts'

export const modelErrors = defineDiagnostics('model', {
  'rate-limited': { severity: 'error', message: () => 'The account may not ask more often.' },
  overloaded: { severity: 'error', message: () => 'The server of the model has too much to do.' },
  network: { severity: 'error', message: () => 'The model cannot be reached.' },
  'timed-out': { severity: 'error', message: () => 'The model did not answer in time.' },
  'cut-off': { severity: 'error', message: () => 'The answer ended in the middle.' },
  server: { severity: 'error', message: () => 'The server of the model failed.' },
  quota: { severity: 'error', message: () => 'The account of the model is used up.' },
  'no-key': { severity: 'error', message: () => 'The model has no key that its server takes.' },
  'unknown-model': { severity: 'error', message: () => 'There is no such model.' },
  'bad-request': { severity: 'error', message: () => 'The server of the model refuses the request.' },
  'context-full': { severity: 'error', message: () => 'The conversation is longer than the model can hold.' },
  'bad-answer': { severity: 'error', message: () => 'What the model sent cannot be used.' },
  'library-missing': { severity: 'error', message: () => 'What speaks to the provider of the model is not installed.' },
  cancelled: { severity: 'error', message: () => 'The question to the model was given up.' },
  'no-reply': {
    severity: 'error',
    message: (p: { agent: string; count: number | null }) =>
      p.count === null ? `The test gives no replies of \`${p.agent}\`.` : `The test gives ${p.count === 1 ? 'one reply' : `${p.count} replies`} of \`${p.agent}\`, and its model was asked once more.`,
    help: (p: { agent: string }) => `\`given ${p.agent} replies [ … ]\` says what its model answers, in order.`,
  },
  'no-recording': {
    severity: 'error',
    message: (p: { agent: string; what: 'nobody' | 'other' | 'again'; count?: number }) =>
      p.what === 'nobody' ? `The cassette holds no answer to \`${p.agent}\`.`
      : p.what === 'again' ? `The model of \`${p.agent}\` is asked a question once more that was recorded ${p.count === 1 ? 'once' : `${p.count} times`}.`
      : `The model of \`${p.agent}\` is asked what was not recorded.`,
    help: () => 'If the program is meant to ask this, record it again with `tek run PROGRAM --record FILE`.',
  },
})
