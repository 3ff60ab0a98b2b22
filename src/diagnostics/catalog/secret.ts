// Secret: what can be wrong with a secret.
// Owns: the words. Does not own: the flow of secrets (compiler/3-check).
import { defineDiagnostics } from '../diagnostic.ts'

export const secretErrors = defineDiagnostics('secret', {
  'bad-source': {
    severity: 'error',
    message: (p: { name: string }) => `The secret \`${p.name}\` must come from outside the program.`,
    help: (p: { name: string }) => `Write \`secret ${p.name} = env("NAME")\`.`,
  },
  'not-usable-here': {
    severity: 'error',
    message: (p: { name: string }) => `The secret \`${p.name}\` cannot be used here.`,
    help: () => 'A secret may stand in the declaration of a model; tools take no secrets yet.',
  },
})
