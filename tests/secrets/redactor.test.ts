// Redactor: every way in which an honest program may write a secret down is found; other text stays as it is.
import { describe, expect, it } from 'vitest'
import { Redactor } from '#interpreter/secrets/redactor.ts'
import { codesOf, unescaped } from '#interpreter/secrets/escapes.ts'

const secret = 'gh"p_<Kä7&/x+%9 Zq\\w=='
const bytes = Buffer.from(secret)

function redactor(...values: readonly string[]): Redactor {
  const made = new Redactor()
  values.forEach((value, index) => made.add(`s${index}`, value))
  return made
}

const forms: Readonly<Record<string, string>> = {
  'as it is': secret,
  'base64': bytes.toString('base64'),
  'base64 after one byte': Buffer.concat([Buffer.from('a'), bytes]).toString('base64'),
  'base64 after two bytes': Buffer.concat([Buffer.from('ab'), bytes, Buffer.from('tail')]).toString('base64'),
  'base64 as in basic authentication': Buffer.from(`user:${secret}`).toString('base64'),
  'base64url': bytes.toString('base64url'),
  'base64 in lines of 20': bytes.toString('base64').replace(/.{20}/g, '$&\n'),
  'base64 in lines of 9': bytes.toString('base64').replace(/.{9}/g, '$&\r\n'),
  'hexadecimal': bytes.toString('hex'),
  'HEXADECIMAL': bytes.toString('hex').toUpperCase(),
  'hexadecimal in lines of 16': bytes.toString('hex').replace(/.{16}/g, '$&\n'),
  'hexadecimal with blanks': bytes.toString('hex').replace(/../g, '$& '),
  'hexadecimal with colons': bytes.toString('hex').match(/../g)!.join(':'),
  'a part of an address': encodeURIComponent(secret),
  'an address with every byte escaped': bytes.toString('hex').replace(/../g, '%$&'),
  'an escaped address in capitals': bytes.toString('hex').toUpperCase().replace(/../g, '%$&'),
  'JSON': JSON.stringify(secret),
  'JSON with every character escaped': [...secret].map(each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'JSON within JSON': JSON.stringify(JSON.stringify({ key: secret })),
  'JSON within JSON within JSON': JSON.stringify(JSON.stringify(JSON.stringify({ key: secret }))),
  'JSON in an address': encodeURIComponent(JSON.stringify({ key: secret })),
  'HTML': secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
  'HTML by numbers': [...secret].map(each => `&#${each.codePointAt(0)};`).join(''),
  'a shell\'s or a program\'s escapes': [...bytes].map(each => `\\x${each.toString(16).padStart(2, '0')}`).join('').replace('\\xc3\\xa4', 'ä'),
  'base64 in JSON with escaped slashes': bytes.toString('base64').replaceAll('/', '\\/'),
  'base64 in an address': encodeURIComponent(bytes.toString('base64')),
}

describe('a secret is found', () => {
  for (const [form, text] of Object.entries(forms)) {
    it(form, () => {
      const shown = redactor(secret).text(`before ${text} after`)
      expect(shown).toMatch(/^before .{0,40}\[secret s0\].{0,24} after$/s)
      expect(shown).not.toContain(text.slice(8, 24))
    })
  }

  it('several times, side by side, and one within another', () => {
    expect(redactor('abcdefgh').text('abcdefghabcdefgh x abcdefgh')).toBe('[secret s0][secret s0] x [secret s0]')
    expect(redactor('abcdefgh', 'xabcdefghx').text('1 xabcdefghx 2 abcdefgh')).toBe('1 [secret s1] 2 [secret s0]')
  })

  it('line by line where it has several', () => {
    const key = `-----BEGIN KEY-----\n${'QUJDREVG'.repeat(4)}\n${'R0hJSktM'.repeat(4)}\n-----END KEY-----`
    const shown = redactor(key).text(key.split('\n').map(line => `  ${line}`).join('\n'))
    expect(shown).toBe('  -----BEGIN KEY-----\n  [secret s0]\n  [secret s0]\n  -----END KEY-----')
  })

  it('where a text was cut off within it', () => {
    const made = redactor('abcdefghijklmnop')
    expect(made.cutText('the key is abcdefghij')).toBe('the key is [secret s0]')
    expect(made.cutText('the key is abc')).toBe('the key is abc')
    expect(made.text('the key is abcdefghij')).toBe('the key is abcdefghij')
  })

  it('as a number', () => {
    expect(redactor('48151623').ofNumber(48_151_623)).toBe('s0')
    expect(redactor('48151623').ofNumber(48_151_624)).toBe(null)
  })
})

describe('other text', () => {
  it('stays as it is', () => {
    const made = redactor(secret, 'another-secret-1')
    for (const text of ['', 'short', 'gh"p_<Kä7&/x+%9 Zq', '%67%68', 'a & b &amp; c \\n', '100 %', 'another-secret-2', '\\', '&#x110000;', '%e4%']) expect(made.text(text)).toBe(text)
  })

  it('is led back to its place through layers of escapes', () => {
    const outer = unescaped(codesOf('a%41%5Cu0042%26lt%3B%C3%A4z'), 'percent')!
    const text = (codes: Uint16Array): string => String.fromCharCode(...codes)
    expect(text(outer.codes)).toBe('aA\\u0042&lt;äz')
    expect([0, 1, 2, 3, 8, 12, 13].map(index => [outer.startOf(index), outer.endOf(index)])).toEqual([[0, 1], [1, 4], [4, 7], [7, 8], [12, 15], [20, 26], [26, 27]])
    const inner = unescaped(outer.codes, 'backslash')!
    expect(text(inner.codes)).toBe('aAB&lt;äz')
    expect([inner.startOf(2), inner.endOf(2)]).toEqual([2, 8])
    expect(text(unescaped(inner.codes, 'entity')!.codes)).toBe('aAB<äz')
    expect(unescaped(codesOf('nothing'), 'percent')).toBe(null)
  })
})

describe('random texts', () => {
  it('a secret anywhere in any of its forms is found, and what is left holds none of it', () => {
    let state = 12_345
    const random = (below: number): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) % below
    const alphabet = 'abcXYZ019-_+/= .\n"\\%&;ü'
    const some = (length: number): string => Array.from({ length }, () => alphabet[random(alphabet.length)]).join('')
    for (let round = 0; round < 300; round++) {
      const value = `k${some(5 + random(40)).replaceAll('\n', 'n')}7`
      const raw = Buffer.from(value)
      const written = [value, raw.toString('base64'), raw.toString('hex'), JSON.stringify(value).slice(1, -1), encodeURIComponent(value)][round % 5]!
      const text = `${some(random(60))} ${written} ${some(random(60))}`
      const shown = redactor(value).text(text)
      expect(shown, `${value} in ${text}`).toContain('[secret s0]')
      expect(shown).not.toContain(written)
    }
  })
})
