// Accepted: which entries of a folder's permits file the person at this machine has answered for.
// Owns: the mark of an entry, what is remembered of a folder, outside of it. Does not own: where such files lie (host/user-store.ts), the question.
//   A1. A permits file may come with a repository. Where somebody can be asked, an entry counts only once they have seen it: as they answered, or as
//       it was shown to them. Where nobody can (CI), the file counts as it was reviewed.
//   A2. Any other change of an entry (more grants, a later end) makes it one that was not seen.
import { sha256 } from '#base/hash.ts'
import { canonicalJson } from '#base/json.ts'
import { printGrant } from '#grants/grant-text.ts'
import type { PermitEntry, Section } from './permits-file.ts'

/** Entries remembered of one folder; the oldest are forgotten. */
const MAX_MARKS = 200
/** Characters of a mark. */
const MARK_LENGTH = 32

/** Small files that lie with the person, as `UserStore` of the host gives them. */
export interface Memory {
  read(area: 'state', name: string): string | null
  replace(area: 'state', name: string, text: string): boolean
}

export class Accepted {
  private readonly memory: Memory
  private readonly name: string

  /** @param folder the project's folder, absolute, with no links in it. */
  constructor(memory: Memory, folder: string) {
    this.memory = memory
    this.name = `permits/${sha256(folder).slice(0, MARK_LENGTH)}`
  }

  has(section: Section, program: string, entry: PermitEntry): boolean {
    return this.marks().includes(markOf(section, program, entry))
  }

  /** Where it cannot be kept, the question comes again. */
  add(section: Section, program: string, entry: PermitEntry): void {
    const marks = [...new Set([...this.marks(), markOf(section, program, entry)])].slice(-MAX_MARKS)
    this.memory.replace('state', this.name, `${marks.join('\n')}\n`)
  }

  private marks(): readonly string[] {
    return (this.memory.read('state', this.name) ?? '').split('\n').filter(line => /^[0-9a-f]+$/.test(line))
  }
}

/** What an entry allows and until when; not why, and in no order (A2). */
function markOf(section: Section, program: string, { may, expires }: PermitEntry): string {
  return sha256(canonicalJson({ section, program, may: may.map(printGrant).sort(), expires })).slice(0, MARK_LENGTH)
}
