// Schemas: those of docs/schema, compiled so that a field they do not name is a mistake: what is printed and what is promised are one.
import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Objects of these schemas are open, so that fields can be added; in tests they are closed. */
function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const made = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return 'properties' in made && made['type'] === 'object' ? { ...made, additionalProperties: false } : made
}

export function validator(name: string): ValidateFunction {
  const schema = JSON.parse(readFileSync(new URL(`../../docs/schema/${name}.schema.json`, import.meta.url), 'utf8')) as Json
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true })
  ;(formats as unknown as { default: (ajv: Ajv2020) => void } & ((ajv: Ajv2020) => void))(ajv)
  return ajv.compile(closed(schema) as object)
}

/** What is wrong with a value, as lines. */
export function problemsOf(validate: ValidateFunction, value: unknown): string[] {
  return validate(value) ? [] : (validate.errors ?? []).map(each => `${each.instancePath} ${each.message} ${JSON.stringify(each.params)}`)
}
