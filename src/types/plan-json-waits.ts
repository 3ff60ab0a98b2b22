// Plan JSON, waits: whether deadlines, waits and triggers of some JSON are such as a plan has.
// Owns: their shape and bounds. Does not own: expressions within them (plan-json.ts), cron patterns (src/schedule), which the compiler has checked.
//   W1. Every length of time is positive and at most MAX_WAIT_MS, so that whoever waits needs no other bound.
//   W2. What a trigger sets is a parameter of its workflow, and what signs it a secret of the plan.
import { MAX_ESCALATIONS, MAX_TRIGGERS, MAX_WAIT_MS } from '#model/plan.ts'

type Fields = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
/** W1. */
const isTime = (value: unknown): boolean => typeof value === 'number' && value > 0 && value <= MAX_WAIT_MS

/** What is wrong with a node's deadlines and the kind of its wait, or null. */
export function waitsProblem(node: Fields, at: string): string | null {
  const { approval, wait } = node
  if (node['kind'] !== 'task' && (approval !== undefined || wait !== undefined)) return `${at} waits and is no task`
  if (approval !== undefined) {
    if (node['approve'] === null || !isRecord(approval) || !isTime(approval['withinMs'])) return `${at}.approval is damaged`
    const { escalate } = approval
    if (!Array.isArray(escalate) || escalate.length > MAX_ESCALATIONS) return `${at}.approval.escalate is damaged`
    const wrong = escalate.findIndex(each => !isRecord(each) || typeof each['to'] !== 'string' || !isTime(each['withinMs']))
    if (wrong >= 0) return `${at}.approval.escalate[${wrong}] is damaged`
  }
  return wait === undefined || (isRecord(wait) && (wait['kind'] === 'for' || wait['kind'] === 'until')) ? null : `${at}.wait is damaged`
}

/** What is wrong with a workflow's triggers, or null. */
export function triggersProblem(triggers: unknown, at: string, params: ReadonlySet<string>, secrets: ReadonlySet<string>): string | null {
  if (triggers === undefined) return null
  if (!Array.isArray(triggers) || triggers.length === 0 || triggers.length > MAX_TRIGGERS) return `${at} is no list of triggers`
  const wrong = triggers.findIndex(each => !isRecord(each) || !isTrigger(each, params, secrets))
  return wrong < 0 ? null : `${at}[${wrong}] is no trigger`
}

function isTrigger(trigger: Fields, params: ReadonlySet<string>, secrets: ReadonlySet<string>): boolean {
  const isText = (key: string): boolean => typeof trigger[key] === 'string' && trigger[key] !== ''
  const isMissed = trigger['missed'] === 'run' || trigger['missed'] === 'skip'
  switch (trigger['kind']) {
    case 'every':
      return isMissed && isTime(trigger['intervalMs'])
    case 'cron':
      return isMissed && isText('pattern') && isText('zone')
    case 'file':
      return isText('pattern') && (trigger['param'] === null || params.has(trigger['param'] as string)) // W2
    case 'webhook': {
      const { params: settable, secret } = trigger
      return isText('name') && (secret === null || secrets.has(secret as string)) && Array.isArray(settable) && settable.every(each => params.has(each as string))
    }
    default:
      return false
  }
}
