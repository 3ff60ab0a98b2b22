// math: numbers beyond the operators.
// Owns: functions of real numbers and of integers.
//   M1. No function gives NaN or infinity: outside its domain it fails with `math/outside-domain`.
//   M2. Integers stay within ±(2^53 − 1), else `math/too-large`.
import { definePlugin, pure, t, ToolFailure, z } from 'tek-lang/plugin'

const x = z.number().describe('The number.')
const angle = z.number().describe('The angle in radians.')
const integer = t.int.describe('An integer.')

function finite(value: number, what: string): number {
  if (!Number.isFinite(value)) throw new ToolFailure('outside-domain', `${what} has no value for these arguments.`)
  return value === 0 ? 0 : value
}

function safe(value: number, what: string): number {
  if (!Number.isSafeInteger(value)) throw new ToolFailure('too-large', `${what} is larger than an int can be (2^53 − 1).`)
  return value === 0 ? 0 : value
}

const real = (what: string, doc: string, example: string, of: (x: number) => number) =>
  pure({ doc, input: { x }, output: z.number(), example, run: ({ x }) => finite(of(x), what) })

const trigonometric = (what: string, doc: string, example: string, of: (x: number) => number) =>
  pure({ doc, input: { angle }, output: z.number(), example, run: ({ angle }) => finite(of(angle), what) })

function gcd(a: number, b: number): number {
  let [left, right] = [Math.abs(a), Math.abs(b)]
  while (right !== 0) [left, right] = [right, left % right]
  return left
}

function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square, rest] = [1n, base % modulus, exponent]
  for (; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

/** Miller–Rabin with the first twelve primes as witnesses: exact for every integer below 3.3 · 10^24 (Sorenson and Webster, 2015). */
function isPrime(candidate: number): boolean {
  if (candidate < 2) return false
  const witnesses = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]
  for (const prime of witnesses) if (candidate % prime === 0) return candidate === prime
  const number = BigInt(candidate)
  let [odd, twos] = [number - 1n, 0]
  while ((odd & 1n) === 0n) [odd, twos] = [odd >> 1n, twos + 1]
  return witnesses.every(witness => {
    let power = powerModulo(BigInt(witness), odd, number)
    if (power === 1n || power === number - 1n) return true
    for (let step = 1; step < twos; step++) {
      power = (power * power) % number
      if (power === number - 1n) return true
    }
    return false
  })
}

function roundTo(value: number, digits: number): number {
  if (digits < 0 || digits > 15) throw new ToolFailure('outside-domain', 'digits must be from 0 to 15.')
  // Through decimal text, so that 1.005 is judged as it is written.
  const [digitsText, exponent = '0'] = String(Math.abs(value)).split('e')
  const rounded = Math.round(Number(`${digitsText}e${Number(exponent) + digits}`))
  if (Number.isInteger(value) || rounded >= 1e21) return finite(value, 'roundTo') // has no digits left to round away
  return finite(Math.sign(value) * Number(`${rounded}e${-digits}`), 'roundTo')
}

export default definePlugin({
  name: 'math',
  version: '1.0.0',
  doc: 'Functions of numbers beyond the operators. Nothing gives NaN or infinity: it fails instead.',
  constants: {
    pi: { doc: 'π, circumference over diameter.', schema: z.number(), value: Math.PI },
    tau: { doc: '2π, one full turn in radians.', schema: z.number(), value: 2 * Math.PI },
    e: { doc: 'e, the base of the natural logarithm.', schema: z.number(), value: Math.E },
    maxInt: { doc: 'The largest int, 2^53 − 1.', schema: z.number(), value: Number.MAX_SAFE_INTEGER },
  },
  tools: {
    sqrt: real('sqrt', 'Square root of a number that is not negative.', 'math.sqrt(9.0) == 3.0', Math.sqrt),
    cbrt: real('cbrt', 'Cube root.', 'math.cbrt(27.0) == 3.0', Math.cbrt),
    exp: real('exp', 'The number e to the power x.', 'math.exp(0.0) == 1.0', Math.exp),
    log: real('log', 'Natural logarithm of a positive number.', 'math.log(1.0) == 0.0', Math.log),
    log2: real('log2', 'Logarithm to base 2.', 'math.log2(8.0) == 3.0', Math.log2),
    log10: real('log10', 'Logarithm to base 10.', 'math.log10(1000.0) == 3.0', Math.log10),
    asin: real('asin', 'Angle in radians whose sine is x.', 'math.asin(0.0) == 0.0', Math.asin),
    acos: real('acos', 'Angle in radians whose cosine is x.', 'math.acos(1.0) == 0.0', Math.acos),
    atan: real('atan', 'Angle in radians whose tangent is x.', 'math.atan(0.0) == 0.0', Math.atan),
    sin: trigonometric('sin', 'Sine of an angle in radians.', 'math.sin(0.0) == 0.0', Math.sin),
    cos: trigonometric('cos', 'Cosine of an angle in radians.', 'math.cos(0.0) == 1.0', Math.cos),
    tan: trigonometric('tan', 'Tangent of an angle in radians.', 'math.tan(0.0) == 0.0', Math.tan),
    degrees: trigonometric('degrees', 'Radians to degrees.', 'math.degrees(math.pi) == 180.0', value => (value * 180) / Math.PI),
    radians: real('radians', 'Degrees to radians.', 'math.radians(180.0) == math.pi', value => (value * Math.PI) / 180),
    atan2: pure({
      doc: 'Angle in radians of the point (x, y), from −π to π.',
      input: { y: z.number().describe('Height of the point.'), x: z.number().describe('Breadth of the point.') },
      output: z.number(),
      example: 'math.atan2(0.0, 1.0) == 0.0',
      run: ({ y, x }) => finite(Math.atan2(y, x), 'atan2'),
    }),
    pow: pure({
      doc: 'A number to a power.',
      input: { base: z.number().describe('The number.'), exponent: z.number().describe('The power.') },
      output: z.number(),
      example: 'math.pow(2.0, 10.0) == 1024.0',
      run: ({ base, exponent }) => finite(Math.pow(base, exponent), 'pow'),
    }),
    hypot: pure({
      doc: 'Square root of the sum of squares, without overflow on the way.',
      input: { numbers: z.array(z.number()).default([]).describe('The numbers.') },
      rest: 'numbers',
      output: z.number(),
      example: 'math.hypot(3.0, 4.0) == 5.0',
      run: ({ numbers }) => finite(numbers.reduce((total, number) => Math.hypot(total, number), 0), 'hypot'),
    }),
    clamp: pure({
      doc: 'The nearest number between a least and a greatest.',
      input: { x, least: z.number().describe('The least result.'), greatest: z.number().describe('The greatest result.') },
      output: z.number(),
      example: 'math.clamp(12.0, 0.0, 10.0) == 10.0',
      run: ({ x, least, greatest }) => {
        if (least > greatest) throw new ToolFailure('outside-domain', `least (${least}) is larger than greatest (${greatest}).`)
        return Math.min(greatest, Math.max(least, x))
      },
    }),
    lerp: pure({
      doc: 'The number a share of the way from one to another: 0 gives the first, 1 the second.',
      input: { from: z.number().describe('At 0.'), to: z.number().describe('At 1.'), share: z.number().describe('How far, usually 0 to 1.') },
      output: z.number(),
      example: 'math.lerp(10.0, 20.0, 0.25) == 12.5',
      run: ({ from, to, share }) => finite(from * (1 - share) + to * share, 'lerp'),
    }),
    sign: pure({
      doc: '−1, 0 or 1.',
      input: { x },
      output: t.int,
      example: 'math.sign(-2.5) == -1',
      run: ({ x }) => (x > 0 ? 1 : x < 0 ? -1 : 0),
    }),
    trunc: pure({
      doc: 'The whole part, towards zero.',
      input: { x },
      output: t.int,
      example: 'math.trunc(-2.7) == -2',
      run: ({ x }) => safe(Math.trunc(x), 'The whole part'),
    }),
    roundTo: pure({
      doc: 'Rounds to a number of decimal digits, halves away from zero, as the number is written in decimal.',
      input: { x, digits: t.int.describe('Digits after the point, 0 to 15.') },
      output: z.number(),
      example: 'math.roundTo(1.005, 2) == 1.01',
      run: ({ x, digits }) => roundTo(x, digits),
    }),
    intDiv: pure({
      doc: 'How many times one integer fits into another, rounded down. `a == b * intDiv(a, b) + mod(a, b)` when b is positive.',
      input: { a: integer, b: t.int.describe('The divisor, not 0.') },
      output: t.int,
      example: 'math.intDiv(-7, 2) == -4',
      run: ({ a, b }) => {
        if (b === 0) throw new ToolFailure('outside-domain', 'The divisor is 0.')
        return safe(Number((BigInt(a) - (((BigInt(a) % BigInt(b)) + BigInt(b)) % BigInt(b))) / BigInt(b)), 'intDiv')
      },
    }),
    gcd: pure({
      doc: 'Greatest common divisor; gcd(0, 0) is 0.',
      input: { a: integer, b: integer },
      output: t.int,
      example: 'math.gcd(12, 18) == 6',
      run: ({ a, b }) => gcd(a, b),
    }),
    lcm: pure({
      doc: 'Least common multiple; 0 when either is 0.',
      input: { a: integer, b: integer },
      output: t.int,
      example: 'math.lcm(4, 6) == 12',
      run: ({ a, b }) => (a === 0 || b === 0 ? 0 : safe((Math.abs(a) / gcd(a, b)) * Math.abs(b), 'The least common multiple')),
    }),
    factorial: pure({
      doc: 'Product of the integers from 1 to n, for n from 0 to 18.',
      input: { n: t.int.describe('0 to 18.') },
      output: t.int,
      example: 'math.factorial(5) == 120',
      run: ({ n }) => {
        if (n < 0) throw new ToolFailure('outside-domain', 'The factorial of a negative number has no value.')
        if (n > 18) throw new ToolFailure('too-large', 'The factorial is larger than an int can be (2^53 − 1).')
        let product = 1
        for (let factor = 2; factor <= n; factor++) product *= factor
        return product
      },
    }),
    isPrime: pure({
      doc: 'Whether an integer is a prime number; exact for every int.',
      input: { n: integer },
      output: z.boolean(),
      example: 'math.isPrime(97) == true',
      run: ({ n }) => isPrime(n),
    }),
  },
})
