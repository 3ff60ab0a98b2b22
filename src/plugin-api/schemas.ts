// Schemas: zod schemas for tek's own types, for use in a plugin's `input` and `output`.
// Owns: the `x-tek-type` marks that carry a unit or a qualifier through JSON Schema.
import { z } from 'zod'

const marked = <Schema extends z.ZodType>(schema: Schema, type: string): Schema => schema.meta({ 'x-tek-type': type }) as Schema

/** tek types that JSON Schema has no word for. `t.path`, `t.duration` … */
export const t = {
  int: z.int(),
  path: marked(z.string(), 'path'),
  url: marked(z.string(), 'url'),
  /** Base64 text. */
  bytes: marked(z.string(), 'bytes'),
  /** Milliseconds. */
  duration: marked(z.number(), 'duration'),
  /** Bytes. */
  size: marked(z.number(), 'size'),
  tokens: marked(z.int(), 'tokens'),
  /** Micro-dollars. */
  money: marked(z.int(), 'money'),
  json: marked(z.unknown(), 'json'),
  any: marked(z.any(), 'any'),
  /** A type variable: `t.variable('T')` in input and output stands for the same type at each call. */
  variable: (name: string) => marked(z.any(), `variable:${name}`),
  map: <Value extends z.ZodType>(value: Value) => z.record(z.string(), value),
  /** A value that came from outside. */
  untrusted: <Schema extends z.ZodType>(schema: Schema) => schema.meta({ ...schema.meta(), 'x-tek-untrusted': true }) as Schema,
  secret: <Schema extends z.ZodType>(schema: Schema) => schema.meta({ ...schema.meta(), 'x-tek-secret': true }) as Schema,
}
