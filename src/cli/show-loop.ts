// Show loop: `tek show LOOP`: how a loop stands, its last cycles, and with --decisions what was decided and why.
// Owns: the lines. Does not own: what is kept (loops/loop-records.ts).
import { cutToWidth, elapsed, neutraliseLine, padToWidth } from '#base/terminal-text.ts'
import type { RecordedLoop } from '#loops/loop-records.ts'
import type { LoopDecision } from '#interpreter/journal/loops.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import type { Output } from './terminal.ts'

const MAX_CYCLES = 20
const MAX_DECISIONS = 100

const colours = { approved: 'green', rejected: 'red', deferred: 'dim', escalated: 'yellow' } as const

export function loopLines(loop: RecordedLoop, withDecisions: boolean, out: Output): string[] {
  const { row, champion, isDriven, open, cycles, decisions } = loop
  const { series } = row
  const between = series?.ended != null ? `has ended: ${neutraliseLine(series.ended.message)}` : 'stands between two cycles'
  const stands = isDriven ? 'goes on' : open !== null ? `stands in cycle ${open.cycle} (${open.runId})` : between
  const lines = [
    `${out.paint('bold', neutraliseLine(`${row.program} ${row.name}`))} ${stands}`,
    champion === null || champion.version === 0 ? 'no champion'
      : `champion: version ${champion.version}, score ${Math.round(champion.score * 1_000) / 1_000}, ${neutraliseLine(JSON.stringify(champion.candidate))}`,
  ]
  if (withDecisions) for (const each of decisions.slice(0, MAX_DECISIONS)) lines.push(decisionLine(each, out))
  else for (const { cycle, runId, end } of cycles.slice(0, MAX_CYCLES)) {
    lines.push(`  ${padToWidth(String(cycle), 6)} ${runId.slice(0, SHORT_ID)}  ${neutraliseLine(end?.says ?? '')}  ${out.paint('dim', elapsed(end?.elapsedMs ?? 0))}`)
  }
  return lines.map(each => cutToWidth(each, out.columns()))
}

function decisionLine({ cycle, stage, outcome, rationale, confidence, by }: LoopDecision, out: Output): string {
  const sure = confidence === null ? '' : ` (${Math.round(confidence * 100)} % sure)`
  const who = by === 'program' ? '' : ` · ${neutraliseLine(by)}`
  return `  ${padToWidth(String(cycle), 6)} ${padToWidth(stage, 14)} ${out.paint(colours[outcome], padToWidth(outcome, 10))} ${neutraliseLine(rationale)}${sure}${who}`
}
