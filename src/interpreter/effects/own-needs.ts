// Own needs: what a third-party tool may do of all that its caller may: what it said this call takes.
// Owns: the needs of a call as a level of authority. Does not own: asking it (guard).
//   O1. A tool that declares nothing does nothing, however much the workflow that calls it may do.
//   O2. A folder that is needed stands for everything in it, an address for its host.
//   O3. The other levels hold beside this one: where a concrete argument cannot be said as a pattern, the whole kind is allowed here.
import { hostOf } from '#grants/host-pattern.ts'
import { matchesGrant } from '#grants/match.ts'
import type { Authority, Grant } from '#model/capability.ts'

export function ownLevel(needs: readonly Grant[], cwd: string): Authority {
  return needs.flatMap((need): Grant[] => {
    const [first = '', ...others] = need.args
    switch (need.name) {
      case 'fs.read':
      case 'fs.write': return [need, { name: need.name, args: [`${first.replace(/\/+$/, '')}/**`] }] // O2
      case 'net': return [{ name: 'net', args: [hostOf(first) ?? first] }]
      case 'exec': return [matchesGrant(need, need, cwd) ? need : { name: 'exec', args: [first, ...others.map(() => '*')] }] // O3
      default: return [need]
    }
  })
}
