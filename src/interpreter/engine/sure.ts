// Sure: when runs of a `verify m..n` have said enough.
// Owns: the rule of stopping. Does not own: what two runs agreeing means (attempt.ts).
//   U1. Wald's sequential test of two suppositions: each run of something good differs by chance with GOOD_RATE; of something that is not, BAD_RATE of its
//       runs differ from what is said of it. It is sure when the runs are 95 times as likely under the first, so that it errs once in a hundred.
//   U2. Runs of which all agree are enough as soon as there are as many as were asked for.
//   U4. Where there are too few runs to outweigh a single one that differs (canBeSure), as many as were asked for at least have to agree, and that is all.
//   U3. What it cannot see: a difference that shows in one run of ten or fewer mostly agrees all along. docs/loops.md has the table.

/** Share of the runs of something good that differ by chance. */
export const GOOD_RATE = 0.05
/** The same of something that is taken to be broken. */
export const BAD_RATE = 0.9
const SHARE_WRONGLY_ACCEPTED = 0.01
const SHARE_WRONGLY_REFUSED = 0.05

const FOR = Math.log((1 - GOOD_RATE) / (1 - BAD_RATE))
const AGAINST = Math.log(BAD_RATE / GOOD_RATE)
const ENOUGH = Math.log((1 - SHARE_WRONGLY_REFUSED) / SHARE_WRONGLY_ACCEPTED)

/**
 * Whether runs are enough to take what most of them say.
 *
 * @example
 * isSure(3, 0) // true
 * isSure(3, 1) // false: a fourth that agrees is needed
 */
export function isSure(agreeing: number, others: number): boolean {
  return others === 0 || agreeing * FOR - others * AGAINST >= ENOUGH
}

/** Whether so many runs could outweigh one that differs. // U4 */
export function canBeSure(most: number): boolean {
  return isSure(most - 1, 1)
}
