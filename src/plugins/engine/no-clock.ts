// No clock: the `Date` that the engine's outer half sees: it stands at 0 and knows no zone but UTC.
// Owns: the replacement in a thread that does nothing else. Does not own: what the world inside says about the hour (world/powerless.ts).
//   N1. The engine asks JavaScript for the hour, the zone and, by the hour, for the seed of its random numbers: all are the same everywhere.

const localPart = /^(get|set)(?!UTC|Time$|TimezoneOffset$|Year$)/

/** Replaces `Date`; gives back what puts the real one in place again. */
export function stopTheClock(): () => void {
  const real = globalThis.Date
  class Still extends real {
    constructor(...args: readonly unknown[]) {
      if (args.length === 1) super(args[0] as number)
      else super(args.length === 0 ? 0 : real.UTC(...(args as unknown as Parameters<DateConstructor['UTC']>)))
    }
    static override now(): number { return 0 }
    override getTimezoneOffset(): number { return 0 }
  }
  for (const name of Object.getOwnPropertyNames(real.prototype).filter(each => localPart.test(each))) {
    const inUtc = Reflect.get(real.prototype, name.replace(localPart, '$1UTC')) as unknown
    Object.defineProperty(Still.prototype, name, { value: inUtc, writable: true, configurable: true })
  }
  globalThis.Date = Still as unknown as DateConstructor
  return () => { globalThis.Date = real }
}
