// Held: a listener that leaves the screen to somebody else for a while: a question is asked there.
// Owns: what is heard meanwhile. Does not own: what is shown instead.
//   H1. Nothing is written between `hold` and `release`; what was heard is told afterwards, in order.
//   H2. At most MAX_HELD notices are kept; of progress and of waits only the last one counts. What was dropped is counted, and the count is told.
import type { RunNotice } from '#model/report.ts'
import type { RunListener } from './listener.ts'

const MAX_HELD = 10_000

export interface HeldListener extends RunListener {
  /** Leaves the screen empty. May be called again. */
  hold(): void
  release(): void
}

export function heldListener(inner: RunListener): HeldListener {
  let isHeld = false
  let heard: RunNotice[] = []
  let progress: RunNotice | null = null
  let waits: RunNotice | null = null
  let dropped = 0
  const release = (): void => {
    if (!isHeld) return
    isHeld = false
    const all = [...heard, ...[waits, progress].filter(each => each !== null)]
    if (dropped > 0) inner.notice({ kind: 'log', task: 'tek', atMs: 0, message: `${dropped} notices were not shown while a question stood here; \`tek logs\` tells them` })
    heard = []
    waits = progress = null
    dropped = 0
    for (const notice of all) inner.notice(notice)
  }
  return {
    hold() {
      if (isHeld) return
      inner.close()
      isHeld = true
    },
    release,
    notice(notice) {
      if (!isHeld) return inner.notice(notice)
      if (notice.kind === 'saying') return // of the moment
      if (notice.kind === 'progress') progress = notice // H2
      else if (notice.kind === 'waits') waits = notice
      else if (notice.kind === 'run-finished') {
        release() // whoever asks has nobody to ask for any more
        inner.notice(notice)
      } else if (heard.length < MAX_HELD) heard.push(notice)
      else dropped++
    },
    tick() {
      if (!isHeld) inner.tick()
    },
    close() {
      release()
      inner.close()
    },
  }
}
