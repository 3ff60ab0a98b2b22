// Seeded: chance that is the same on every machine and in every replay.
// Owns: a generator (sfc32, seeded by FNV-1a over the seed's text) and shuffling with it. Not for secrets.

function seededRandom(seed: string): () => number {
  let hash = 0x811c9dc5
  const next = (): number => {
    for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) + 0x9e3779b9
    return hash >>> 0
  }
  let [a, b, c, counter] = [next(), next(), next(), 1]
  const draw = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4294967296
  }
  for (let i = 0; i < 12; i++) draw()
  return draw
}

/** Fisher–Yates; with `count`, only that many are drawn. */
export function drawn<T>(items: readonly T[], seed: string, count = items.length): T[] {
  const random = seededRandom(seed)
  const pool = [...items]
  const result: T[] = []
  for (let i = 0; i < count && i < pool.length; i++) {
    const at = i + Math.floor(random() * (pool.length - i))
    const [chosen, here] = [pool[at] as T, pool[i] as T]
    pool[at] = here
    result.push(chosen)
  }
  return result
}
