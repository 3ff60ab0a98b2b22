// Settle: the type of a value under an annotation that nothing checks when it runs.
// Owns: keeping the marks where the annotation says more than is proved. Does not own: annotations of tasks and parameters, which are checked.
import type { Type } from '#model/type.ts'
import { isAssignable } from '#types/assignable.ts'
import { qualifiersWithin } from '#types/construct.ts'
import { carried, holdsUnknown } from '#types/trust.ts'
import { withoutUnprovable } from '../checker.ts'

/** The annotation with the marks of the value; a narrower type than what is proved does not take a mark off. */
export function settled(annotation: Type, found: Type): Type {
  const within = qualifiersWithin(found)
  if (!within.untrusted && !within.secret) return annotation
  if (within.untrusted && holdsUnknown(found)) return found
  return carried(isAssignable(found, annotation) ? annotation : withoutUnprovable(annotation, found), found)
}
