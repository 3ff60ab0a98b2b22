// Model keys: what a program asks for only to reach its models: nobody is asked for it where no model is reached.
// Owns: which grants those are. Does not own: when models are not reached (test-plan.ts, cassettes.ts).
import type { AskedGrant } from '#model/capability.ts'
import type { Plan, PlanGrant } from '#model/plan.ts'

/** The models of a plan, without their keys. */
export function withoutKeys({ models }: Plan): Pick<Plan, 'models'> {
  return models === undefined ? {} : { models: Object.fromEntries(Object.entries(models).map(([key, model]) => [key, { ...model, key: null }])) }
}

/** Tells the grants of variables that are read for nothing but keys of models. */
export function keyReader(plan: Plan): (grant: Pick<PlanGrant, 'name' | 'args'>) => boolean {
  const keys = new Set(Object.values(plan.models ?? {}).flatMap(({ key }) => (key === null ? [] : [key])))
  const mentioned = JSON.stringify([plan.workflows, plan.constants, plan.prompts, plan.tests])
  const others = (plan.secrets ?? []).filter(({ name }) => !keys.has(name) || mentioned.includes(JSON.stringify({ op: 'secret', name })))
  const variables = (secrets: typeof others): string[] => secrets.flatMap(({ source }) => (source.kind === 'env' ? [source.name] : []))
  const needed = new Set(variables(others))
  const found = new Set(variables((plan.secrets ?? []).filter(({ name }) => keys.has(name))).filter(each => !needed.has(each)))
  return ({ name, args: [first] }) => name === 'env' && first?.op === 'value' && found.has(first.value as string)
}

/** What a run asks for whose models are not reached. */
export function withoutModels(plan: Plan, asked: readonly AskedGrant[]): AskedGrant[] {
  const isKey = keyReader(plan)
  return asked.filter(({ grant: { name, args } }) => name !== 'llm' && !isKey({ name, args: args.map(value => ({ op: 'value', value })) }))
}
