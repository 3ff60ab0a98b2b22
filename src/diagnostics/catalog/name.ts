// Name: what can be wrong with a name or where it comes from.
// Owns: the words. Does not own: finding names (compiler/2-resolve, compiler/3-check).
import { defineDiagnostics } from '../diagnostic.ts'

export const nameErrors = defineDiagnostics('name', {
  'unknown-value': { severity: 'error', message: (p: { name: string }) => `There is nothing named \`${p.name}\` here.` },
  'unknown-type': { severity: 'error', message: (p: { name: string }) => `There is no type \`${p.name}\`.` },
  'unknown-module': { severity: 'error', message: (p: { name: string }) => `There is no module \`${p.name}\`.` },
  'unknown-function': { severity: 'error', message: (p: { module: string; name: string }) => `\`${p.module}\` has no function \`${p.name}\`.` },
  'unknown-task': { severity: 'error', message: (p: { name: string }) => `This workflow has no task \`${p.name}\`.` },
  'unknown-agent': { severity: 'error', message: (p: { name: string }) => `There is no agent \`${p.name}\`.` },
  'unknown-model': { severity: 'error', message: (p: { name: string }) => `There is no model or model provider \`${p.name}\`.` },
  'unknown-workflow': { severity: 'error', message: (p: { name: string }) => `There is no workflow \`${p.name}\`.` },
  'unknown-tool': { severity: 'error', message: (p: { name: string }) => `There is no tool \`${p.name}\`.` },
  'unknown-export': { severity: 'error', message: (p: { name: string; file: string }) => `\`${p.file}\` declares no \`${p.name}\`.` },
  'private': {
    severity: 'error',
    message: (p: { name: string; file: string }) => `\`${p.name}\` is private to \`${p.file}\`.`,
    help: () => 'Names that begin with `_` stay in their file; rename it there to share it.',
  },
  'duplicate': { severity: 'error', message: (p: { name: string; what: string }) => `There are two ${p.what} named \`${p.name}\`.`, help: () => 'Rename one of them.' },
  'shadows': {
    severity: 'error',
    message: (p: { name: string; what: string }) => `\`${p.name}\` already names ${p.what}.`,
    help: () => 'Choose another name: only names of the prelude may be used again.',
  },
  'taken': {
    severity: 'error',
    message: (p: { name: string }) => `\`${p.name}\` is a module of tek and cannot name another one.`,
    help: (p: { name: string }) => `Write \`as my${p.name[0]!.toUpperCase()}${p.name.slice(1)}\` or another name.`,
  },
  'import-cycle': {
    severity: 'error',
    message: (p: { path: string }) => `These files use each other in a circle: ${p.path}.`,
    help: () => 'Move what they share into a file of its own, which both use.',
  },
  'file-not-found': {
    severity: 'error',
    message: (p: { path: string }) => `There is no file \`${p.path}\`.`,
    help: () => 'A path after `use` is relative to the file that says it.',
  },
  'unreadable-file': {
    severity: 'error',
    message: (p: { path: string; reason: string }) => `\`${p.path}\` cannot be read: ${p.reason.replace(/[.\s]+$/, '')}.`,
    help: () => 'Files of a program are UTF-8 text that you may read.',
  },
  'circular-const': {
    severity: 'error',
    message: (p: { path: string }) => `These values are made of each other: ${p.path}.`,
    help: () => 'Give one of them a value of its own.',
  },
  'not-a-value': {
    severity: 'error',
    message: (p: { name: string; what: string }) => `\`${p.name}\` is ${p.what} and has no value.`,
  },
})
