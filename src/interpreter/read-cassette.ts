// Read cassette: the text of a file as a cassette, or what is wrong with it.
// Owns: which text is one, the limits. Does not own: reading the file (cli), answering from it (gateway/cassette.ts).
//   R1. A text is a cassette wholly or not at all; the first thing that is wrong is said with its place.
//   R2. Fields that this version does not know are let be: a later one of the same version may add some.
import { cassetteErrors } from '#diagnostics/catalog/cassette.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { type Cassette, cassetteVersion, MAX_CASSETTE_ANSWERS, MAX_CASSETTE_BYTES } from '#model/cassette.ts'
import type { ChatStop } from '#model/chat.ts'

type Fields = Readonly<Record<string, unknown>>
type Problem = string | null

const stops: ReadonlySet<string> = new Set(['done', 'tool-use', 'max-tokens', 'context-full', 'refusal', 'stop-sequence', 'other'] satisfies ChatStop[])
const hashShape = /^[0-9a-f]{32}$/

/** Reads a cassette. `path` is only for messages. */
export function readCassette(text: string, path: string): Cassette | Diagnostic {
  if (text.length > MAX_CASSETTE_BYTES) return cassetteErrors['too-large']({ path, what: `more than ${MAX_CASSETTE_BYTES / 1_048_576} MB` })
  let json: unknown
  try {
    json = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    const isOne = /^\s*\{\s*"cassette"/.test(text)
    return isOne ? cassetteErrors.damaged({ path, problem: 'it is not JSON' }) : cassetteErrors['not-a-cassette']({ path, reason: 'it is not JSON' })
  }
  if (!isRecord(json) || !('cassette' in json)) return cassetteErrors['not-a-cassette']({ path, reason: 'it has no `cassette` with a version' })
  const { cassette: version } = json
  if (typeof version === 'number' && version > cassetteVersion) return cassetteErrors.newer({ path, found: String(version), known: cassetteVersion })
  if (version !== cassetteVersion) return cassetteErrors['not-a-cassette']({ path, reason: `its version is ${JSON.stringify(version)?.slice(0, 40)}` })
  const answers = Array.isArray(json['conversations']) ? json['conversations'].reduce((sum: number, each) => sum + (isRecord(each) && Array.isArray(each['turns']) ? each['turns'].length : 0), 0) : 0
  if (answers > MAX_CASSETTE_ANSWERS) return cassetteErrors['too-large']({ path, what: `it holds ${answers} answers, and ${MAX_CASSETTE_ANSWERS} is the most` })
  const problem = cassetteProblem(json)
  return problem === null ? (json as unknown as Cassette) : cassetteErrors.damaged({ path, problem }) // R1
}

function cassetteProblem(json: Fields): Problem {
  for (const name of ['program', 'workflow', 'recorded']) if (!isText(json[name])) return `\`${name}\` is no text`
  if (json['note'] !== undefined && !isText(json['note'])) return '`note` is no text'
  return eachProblem(json['conversations'], 'conversations', (each, at) => {
    if (!isText(each['agent']) || !isText(each['task'])) return `${at} has no agent or no task`
    if (!isKeptText(each['role'])) return `the role of ${at} is no text`
    if (!Array.isArray(each['tools']) || !each['tools'].every(isText)) return `the tools of ${at} are no list of names`
    if (each['answer'] !== null && !isRecord(each['answer'])) return `the answer of ${at} is no schema`
    return eachProblem(each['turns'], `${at}.turns`, turnProblem)
  })
}

function turnProblem(turn: Fields, at: string): Problem {
  const { request, keeps, toolChoice, answered, failed } = turn
  if (!isText(request) || !hashShape.test(request)) return `the request of ${at} is no hash`
  if (keeps !== undefined && !isCount(keeps)) return `what ${at} keeps is no number of messages`
  if (toolChoice !== undefined && toolChoice !== 'none' && toolChoice !== 'required') return `the toolChoice of ${at} is unknown`
  const asked = eachProblem(turn['asked'], `${at}.asked`, (message, place) => {
    if (message['role'] !== 'user' && message['role'] !== 'assistant') return `the role of ${place} is unknown`
    return eachProblem(message['content'], `${place}.content`, blockProblem)
  })
  if (asked !== null) return asked
  if ((answered === undefined) === (failed === undefined)) return `${at} has to have either an answer or a failure`
  if (failed !== undefined) return isRecord(failed) && isText(failed['code']) && failed['code'].startsWith('model/') && isText(failed['message']) ? null : `the failure of ${at} has no code \`model/…\` with a message`
  if (!isRecord(answered)) return `the answer of ${at} is no record`
  const { usage, stop, model, requestId } = answered
  if (!isText(answered['asked']) || !isText(model) || (requestId !== undefined && !isText(requestId))) return `the answer of ${at} does not say which model gave it`
  if (!isText(stop) || !stops.has(stop)) return `the answer of ${at} does not say why it ended`
  if (!isRecord(usage) || !['input', 'output', 'cacheRead', 'cacheWrite', 'thinking'].every(name => isCount(usage[name]))) return `the usage of ${at} is not whole`
  return eachProblem(answered['content'], `${at}.answered.content`, (block, place) => (isCutBlock(block) ? `${place} is cut off` : blockProblem(block, place)))
}

/** An answer is whole, or of no use. */
const isCutBlock = (block: Fields): boolean => isRecord(block['text']) || isRecord(block['data'])

function blockProblem(block: Fields, at: string): Problem {
  switch (block['kind']) {
    case 'text':
    case 'thinking':
      return isKeptText(block['text']) && (block['sealed'] === undefined || isText(block['sealed'])) ? null : `the text of ${at} is none`
    case 'image':
      return isText(block['mediaType']) && isKeptText(block['data']) ? null : `the image of ${at} is none`
    case 'tool-use':
      return isText(block['id']) && isText(block['name']) && 'input' in block && (block['problem'] === undefined || isText(block['problem'])) ? null : `the call of ${at} has no name, id or input`
    case 'tool-result':
      if (!isText(block['id']) || typeof block['isError'] !== 'boolean') return `the result of ${at} has no id`
      return eachProblem(block['content'], `${at}.content`, (each, place) => (each['kind'] === 'text' || each['kind'] === 'image' ? blockProblem(each, place) : `the kind of ${place} is unknown`))
    default:
      return `the kind of ${at} is unknown`
  }
}

function eachProblem(value: unknown, at: string, check: (each: Fields, at: string) => Problem): Problem {
  if (!Array.isArray(value)) return `\`${at}\` is no list`
  for (const [index, each] of value.entries()) {
    const place = `${at}[${index}]`
    const problem = isRecord(each) ? check(each, place) : `${place} is no record`
    if (problem !== null) return problem
  }
  return null
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isLines = (value: unknown): boolean => isText(value) || (Array.isArray(value) && value.every(isText))
const isKeptText = (value: unknown): boolean => isLines(value) || (isRecord(value) && isLines(value['begins']) && isCount(value['characters']) && isText(value['sha256']))

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
