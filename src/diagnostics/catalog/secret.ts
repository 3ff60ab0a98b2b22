// Secret: what can be wrong with a secret.
// Owns: the words. Does not own: the flow of secrets (compiler/3-check).
import { defineDiagnostics } from '../diagnostic.ts'

export const secretErrors = defineDiagnostics('secret', {
  'bad-source': {
    severity: 'error',
    message: (p: { name: string }) => `The secret \`${p.name}\` must come from outside the program.`,
    help: (p: { name: string }) => `Write \`secret ${p.name} = env("NAME")\`, or \`file("path")\`, or \`command("program", "argument")\`, each argument written out.`,
  },
  'reaches-prompt': {
    severity: 'error',
    message: (p: { source: string }) => `${p.source} gets into what a model is told.`,
    help: () => 'A model repeats what it is told. Give the secret to the tool that needs it, and the model what the tool finds.',
  },
  'reaches-result': {
    severity: 'error',
    message: (p: { source: string; place: string }) => `${p.source} gets into ${p.place}, which is kept and shown.`,
    help: () => 'Use it where it is needed: as an argument that takes secrets. What is written with a `let` may hold it on the way there.',
  },
  'reaches-argument': {
    severity: 'error',
    message: (p: { source: string; callee: string; param: string }) => `${p.source} is given as \`${p.param}\` of \`${p.callee}\`, which takes no secret there.`,
    help: () => 'Give it to an argument that takes secrets, such as `bearer` and `headers` of `http` or `env` of `shell.runWith`.',
  },
  'reaches-operation': {
    severity: 'error',
    message: (p: { source: string; by: string }) => `${p.source} is looked at by ${p.by}, which can give it away bit by bit.`,
    help: () => 'A secret can be put into a text, a list or a record, and given to a tool that takes it; nothing else.',
  },
  'in-signature': {
    severity: 'error',
    message: (p: { what: string }) => `${p.what} cannot be \`secret\`: it would be handed over in clear.`,
    help: () => 'Declare the secret at the top of the file, `secret key = env("KEY")`, and use it by its name.',
  },
  'not-set': {
    severity: 'error',
    message: (p: { name: string; why: string; next: string }) => `The secret \`${p.name}\` has no value: ${p.why}.`,
    help: (p: { name: string; why: string; next: string }) => p.next,
  },
  'too-short': {
    severity: 'error',
    message: (p: { name: string; least: number }) => `The secret \`${p.name}\` is shorter than ${p.least} characters.`,
    help: (p: { name: string; least: number }) => `So short a text would be found everywhere, and could not be kept out of logs. Use one of at least ${p.least}.`,
  },
})
