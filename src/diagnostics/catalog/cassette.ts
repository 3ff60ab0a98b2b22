// Cassette: why a file of recorded answers cannot be used, or not be written.
// Owns: the words. Does not own: finding it (interpreter/read-cassette.ts, cli/cassettes.ts); a question without an answer is model/no-recording.
import { defineDiagnostics } from '../diagnostic.ts'

export const cassetteErrors = defineDiagnostics('cassette', {
  'not-a-cassette': {
    severity: 'error',
    message: (p: { path: string; reason: string }) => `\`${p.path}\` is no cassette: ${p.reason}.`,
    help: () => '`tek run PROGRAM --record FILE` makes one. What is something else is never written over.',
  },
  newer: {
    severity: 'error',
    message: (p: { path: string; found: string; known: number }) => `\`${p.path}\` is a cassette of version ${p.found}; this tek reads version ${p.known}.`,
    help: () => 'Use a newer tek, or record it again.',
  },
  damaged: {
    severity: 'error',
    message: (p: { path: string; problem: string }) => `\`${p.path}\` is damaged: ${p.problem}.`,
    help: () => 'Take it back from version control, or record it again.',
  },
  'too-large': {
    severity: 'error',
    message: (p: { path: string; what: string }) => `\`${p.path}\` is too large: ${p.what}.`,
    help: () => 'Record a smaller run: fewer items, or one workflow of several.',
  },
})
