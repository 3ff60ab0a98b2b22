// Loop gap: how long the event loop was held while something went on.

/** Longest time between two beats of a timer of 1 ms. */
export async function longestGapMs(work: () => Promise<void>): Promise<number> {
  let longest = 0
  let last = performance.now()
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  await work()
  longest = Math.max(longest, performance.now() - last)
  clearInterval(beat)
  return longest
}
