// Listener: what hears of a run while it goes on, and the surface it writes to.
// Owns: the two interfaces. Does not own: notices (model/report.ts).
import type { Paint } from '#base/terminal-text.ts'
import type { RunNotice } from '#model/report.ts'

export interface RunListener {
  notice(notice: RunNotice): void
  /** Called a few times a second while the run goes on, so that times move on a quiet screen. */
  tick(): void
  /** After the last notice, or when the run was cut short: leaves the screen in order. */
  close(): void
}

export interface Surface {
  write(text: string): void
  /** Columns now; follows a resize. */
  columns(): number
  readonly paint: Paint
}
