// S10: how the time to take up a half-done run grows with its tasks: slope in log-log space from 10,000 to 100,000, in the process, from opening the journal to the first
// event of its own. Below 1: a part of it does not depend on the run.
import { join } from 'node:path'
import { bundledChild } from '../bundled-child.mjs'
import { copyOf, halfDone } from '../half-done.mjs'
import { logLogSlope } from '../measure.mjs'

const SIZES = [10_000, 30_000, 100_000]

export const id = 'S10-slope'
export const title = 'growth of taking a run up, 10,000 to 100,000 tasks half done'
export const unit = 'slope'
export const goal = { text: '≤ 1.05', met: tek => tek <= 1.05 }

export async function contestants(context) {
  const made = []
  for (const size of SIZES) made.push(await halfDone(context, size))
  return {
    async tek() {
      const points = []
      for (const [index, size] of SIZES.entries()) {
        const folder = copyOf(context, made[index])
        const { elapsedMs } = await bundledChild(context, 'journal', ['resume', join(folder, '.tek', 'tek.db'), made[index].runId], { cwd: folder })
        points.push([size, elapsedMs])
      }
      return logLogSlope(points)
    },
  }
}
