// Who: the name under which an answer is recorded.
// Owns: the words. Nobody is proved by them: whoever may write the journal may write any name.
import { userInfo } from 'node:os'

/**
 * Who does something here, and how.
 *
 * @param how `terminal`, `tek approve`.
 */
export function whoDid(how: string): string {
  try {
    return `${userInfo().username}, ${how}`
  } catch {
    return how // a user without a name: a container
  }
}
