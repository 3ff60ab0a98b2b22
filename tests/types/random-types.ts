// Random types: arbitraries shared by the property tests of the type algebra.
import * as fc from 'fast-check'
import type { Type } from '#model/type.ts'
import { listOf, recordOf, union } from '#types/construct.ts'

const scalar = (kind: 'null' | 'bool' | 'path' | 'url' | 'bytes' | 'duration' | 'size' | 'tokens' | 'json'): Type => ({ kind })

const literals: fc.Arbitrary<Type> = fc
  .oneof(fc.constantFrom('a', 'b', '', 'x-1'), fc.integer({ min: -3, max: 3 }), fc.constantFrom(1.5, -0.25), fc.boolean())
  .map(value => ({ kind: 'literal', value }) as Type)

const range = (kind: 'int' | 'float'): fc.Arbitrary<Type> =>
  fc.tuple(fc.option(fc.integer({ min: -5, max: 0 }), { nil: undefined }), fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }))
    .map(([min, max]) => ({ kind, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) }) as Type)

const texts: fc.Arbitrary<Type> = fc.constantFrom<Type>(
  { kind: 'string' }, { kind: 'string', maxLength: 3 }, { kind: 'string', minLength: 1, maxLength: 8 }, { kind: 'string', pattern: '^[a-z]+$' }, { kind: 'string', pattern: '^[a-z]+$', maxLength: 2 },
)

const leaf: fc.Arbitrary<Type> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...(['null', 'bool', 'path', 'url', 'bytes', 'duration', 'size', 'tokens', 'json'] as const).map(scalar)) },
  { weight: 2, arbitrary: literals },
  { weight: 3, arbitrary: fc.oneof(range('int'), range('float'), texts) },
)

/**
 * Types without `any`, `never`, functions, variables. A field's name decides whether it may be missing, and maps and records do not
 * mix: forgetting a field is where structural assignability is not transitive (assignable.ts, A3).
 */
export function types(options: { readonly records: boolean; readonly maps: boolean; readonly qualifiers?: boolean }): fc.Arbitrary<Type> {
  const build = fc.letrec<{ type: Type }>(tie => ({
    type: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 5, arbitrary: leaf },
      { weight: 1, arbitrary: tie('type').map(listOf) },
      ...(options.maps ? [{ weight: 1, arbitrary: tie('type').map(value => ({ kind: 'map', value }) as Type) }] : []),
      ...(options.records ? [{ weight: 2, arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('type'), { maxKeys: 3 }).map(fields => recordOf(fields)) }] : []),
      { weight: 1, arbitrary: fc.array(tie('type'), { minLength: 1, maxLength: 3 }).map(members => union(members)) },
      ...(options.qualifiers === true ? [{ weight: 1, arbitrary: tie('type').map(of => union([{ kind: 'untrusted', of }])) }] : []),
    ),
  }))
  return build.type
}

/** Values that some of these types hold and most do not. */
export const values: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    { weight: 6, arbitrary: fc.oneof(fc.constantFrom(null, true, false, 'a', 'b', '', 'x-1', 'abcd', 'QQ==', '😀😀😀'), fc.integer({ min: -6, max: 6 }), fc.constantFrom(1.5, -0.25, 2 ** 53, 1e300), fc.string({ maxLength: 9 })) },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    { weight: 2, arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }) },
  ),
})).value
