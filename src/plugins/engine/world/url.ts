// URL: addresses for a world without them. Reading one is asked of tek: it is the same function that the guard reads them with.
// Owns: the classes URL and URLSearchParams: https://url.spec.whatwg.org. Does not own: reading (worker.ts).

interface Parts {
  readonly href: string
  readonly origin: string
  readonly protocol: string
  readonly username: string
  readonly password: string
  readonly host: string
  readonly hostname: string
  readonly port: string
  readonly pathname: string
  readonly search: string
  readonly hash: string
}

let ask: (question: string) => string = () => ''

export function useUrlDoor(door: (question: string) => string): void {
  ask = door
}

/** Parts of `href` after `field` was set to `value`, if given; null when it is no address. */
function read(href: string, base?: string, field?: string, value?: string): Parts | null {
  const answer = ask(JSON.stringify({ href, base, field, value }))
  return answer === '' ? null : (JSON.parse(answer) as Parts)
}

const settable = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const

export class EngineUrl {
  private parts: Parts
  readonly searchParams: EngineUrlSearchParams

  constructor(href: unknown, base?: unknown) {
    const parts = read(String(href), base === undefined ? undefined : String(base))
    if (parts === null) throw new TypeError('Invalid URL')
    this.parts = parts
    this.searchParams = new EngineUrlSearchParams(parts.search, text => this.set('search', text))
  }

  static canParse(href: unknown, base?: unknown): boolean {
    return read(String(href), base === undefined ? undefined : String(base)) !== null
  }

  static parse(href: unknown, base?: unknown): EngineUrl | null {
    return EngineUrl.canParse(href, base) ? new EngineUrl(href, base) : null
  }

  get href(): string { return this.parts.href }
  get origin(): string { return this.parts.origin }

  toString(): string { return this.parts.href }
  toJSON(): string { return this.parts.href }

  private set(field: string, value: unknown): void {
    this.parts = read(this.parts.href, undefined, field, String(value)) ?? this.parts
  }

  static {
    for (const name of settable) {
      Object.defineProperty(EngineUrl.prototype, name, {
        configurable: true, enumerable: true,
        get(this: EngineUrl) { return this.parts[name] },
        set(this: EngineUrl, value: unknown) {
          this.set(name, value)
          if (name === 'search') this.searchParams.become(this.parts.search)
        },
      })
    }
  }
}

const decode = (text: string): string => {
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}
const encode = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+').replace(/[!'()~]/g, letter => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)

export class EngineUrlSearchParams {
  private pairs: [string, string][] = []
  private readonly changed: (text: string) => void

  constructor(given: string | Iterable<readonly [string, string]> | Readonly<Record<string, string>> = '', changed: (text: string) => void = () => undefined) {
    this.changed = changed
    if (typeof given === 'string') this.become(given)
    else this.pairs = (Symbol.iterator in given ? [...given as Iterable<readonly [string, string]>] : Object.entries(given)).map(([name, value]) => [String(name), String(value)])
  }

  become(search: string): void {
    this.pairs = search.replace(/^\?/, '').split('&').filter(part => part !== '').map(part => {
      const [, name, value] = /^([^=]*)=?(.*)$/s.exec(part)!
      return [decode(name!), decode(value!)]
    })
  }

  get size(): number { return this.pairs.length }
  get(name: string): string | null { return this.pairs.find(([key]) => key === name)?.[1] ?? null }
  getAll(name: string): string[] { return this.pairs.filter(([key]) => key === name).map(([, value]) => value) }
  has(name: string): boolean { return this.pairs.some(([key]) => key === name) }

  append(name: unknown, value: unknown): void {
    this.pairs.push([String(name), String(value)])
    this.changed(this.toString())
  }

  set(name: unknown, value: unknown): void {
    const first = this.pairs.findIndex(([key]) => key === name)
    this.pairs = this.pairs.filter(([key], index) => key !== name || index === first)
    if (first < 0) this.pairs.push([String(name), String(value)])
    else this.pairs[first] = [String(name), String(value)]
    this.changed(this.toString())
  }

  delete(name: unknown): void {
    this.pairs = this.pairs.filter(([key]) => key !== name)
    this.changed(this.toString())
  }

  sort(): void {
    this.pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    this.changed(this.toString())
  }

  forEach(use: (value: string, name: string) => void): void {
    for (const [name, value] of this.pairs) use(value, name)
  }

  entries(): IterableIterator<[string, string]> { return this.pairs[Symbol.iterator]() }
  keys(): IterableIterator<string> { return this.pairs.map(([name]) => name)[Symbol.iterator]() }
  values(): IterableIterator<string> { return this.pairs.map(([, value]) => value)[Symbol.iterator]() }
  [Symbol.iterator](): IterableIterator<[string, string]> { return this.entries() }
  toString(): string { return this.pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&') }
}
