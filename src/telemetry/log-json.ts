// Log json: a line of a run's log as one JSON object, for programs. The schema is docs/schema/log-line.schema.json; it is only ever added to.
//   J1. Time is RFC 3339, severity as in OpenTelemetry's log data model: its number orders, its text is for people.
import type { LogLine } from '#model/report.ts'

export const logLineVersion = 1

/** SeverityNumber and SeverityText. */
const severities: Readonly<Record<LogLine['level'], readonly [number, string]>> = { info: [9, 'INFO'], warn: [13, 'WARN'], error: [17, 'ERROR'] }

/** The line, with its end. */
export function logLineJson(runId: string, { atMs, level, task, message, code, attempt, by }: LogLine): string {
  const [severityNumber, severity] = severities[level]
  const about = { ...(attempt === undefined ? {} : { attempt }), ...(code === undefined ? {} : { code }), ...(by === undefined ? {} : { by }) }
  return `${JSON.stringify({ version: logLineVersion, time: new Date(atMs).toISOString(), severity, severityNumber, runId, task, ...about, message, level, atMs })}\n`
}
