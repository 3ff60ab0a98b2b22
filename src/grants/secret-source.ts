// Secret source: the grant without which a secret is not read.
import type { Grant } from '#model/capability.ts'
import type { SecretSource } from '#model/plan.ts'

export function needOf(source: SecretSource): Grant {
  switch (source.kind) {
    case 'env':
      return { name: 'env', args: [source.name] }
    case 'file':
      return { name: 'fs.read', args: [source.path] }
    case 'command':
      return { name: 'exec', args: [source.program, ...source.args] }
  }
}
