// S3: how time grows from 10,000 to 100,000 tasks, as the slope in log-log space: 1 is linear. Journal off.
// Peer: LangGraph.js from 300 to 3,000 nodes. Floor: none; 1 by definition, below 1 when fixed costs are spread over more tasks.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { layeredTek } from '../generate.mjs'
import { logLogSlope, runScript } from '../measure.mjs'

const SIZES = [10_000, 31_600, 100_000]
const LANGGRAPH_SIZES = [300, 1_000, 3_000]

export const id = 'S3'
export const title = 'growth of time from 10,000 to 100,000 tasks'
export const unit = 'slope'
export const goal = { text: '≤ 1.05', met: tek => tek <= 1.05 }

export function contestants({ folder, tekRun, peer }) {
  for (const size of SIZES) writeFileSync(join(folder, `s3-${size}.tek`), layeredTek(size, 1_000))
  const slope = async (sizes, elapsedMs) => {
    const points = []
    for (const size of sizes) points.push([size, await elapsedMs(size)])
    return logLogSlope(points)
  }
  return {
    tek: () => slope(SIZES, async size => (await tekRun(join(folder, `s3-${size}.tek`))).elapsedMs),
    'LangGraph.js': () => slope(LANGGRAPH_SIZES, async size => (await runScript(peer('langgraph-layers.mjs'), [size, 100])).elapsedMs),
  }
}
