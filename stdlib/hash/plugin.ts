// hash: fingerprints of text, bytes, values and files.
// Owns: the algorithms by name. sha1, md5 and crc32 are for comparing with others' sums, not for safety.
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { definePlugin, pure, reads, t, ToolFailure, z } from 'tek-lang/plugin'
import { canonical } from '../shared/canonical.ts'

const MAX_FILE_BYTES = 10_000_000

const text = z.string().describe('The text; its UTF-8 bytes are taken.')
const algorithm = z.enum(['sha256', 'sha512', 'sha1', 'md5']).default('sha256').describe('How to compute it.')

const digest = (name: string, content: string | Uint8Array): string => createHash(name).update(content).digest('hex')

const ofText = (name: string, doc: string, example: string) =>
  pure({ doc, input: { text }, output: z.string(), runs: 'thread', example, run: ({ text }) => digest(name, text) })

export default definePlugin({
  name: 'hash',
  version: '1.0.0',
  doc: 'Fingerprints, as hexadecimal text in lower case.',
  tools: {
    sha256: ofText('sha256', 'SHA-256 of a text.', 'hash.sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"'),
    sha512: ofText('sha512', 'SHA-512 of a text.', 'text.slice(hash.sha512("abc"), 0, 8) == "ddaf35a1"'),
    sha1: ofText('sha1', 'SHA-1 of a text; not for safety.', 'hash.sha1("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d"'),
    md5: ofText('md5', 'MD5 of a text; not for safety.', 'hash.md5("abc") == "900150983cd24fb0d6963f7d28e17f72"'),
    crc32: pure({
      doc: 'CRC-32 of a text, as in ZIP and PNG; not for safety.',
      input: { text }, output: z.string(), runs: 'thread',
      example: 'hash.crc32("123456789") == "cbf43926"',
      run: ({ text }) => crc32(text).toString(16).padStart(8, '0'),
    }),
    short: pure({
      doc: 'The first characters of the SHA-256 of a text, for names and keys.',
      input: { text, length: t.int.default(8).describe('Number of characters, 4 to 64.') }, output: z.string(),
      example: 'hash.short("abc") == "ba7816bf"',
      run: ({ text, length }) => {
        if (length < 4 || length > 64) throw new ToolFailure('bad-length', 'length must be from 4 to 64.')
        return digest('sha256', text).slice(0, length)
      },
    }),
    bytes: pure({
      doc: 'The fingerprint of bytes.',
      input: { bytes: t.bytes.describe('The bytes, as base64.'), algorithm }, output: z.string(), runs: 'thread',
      example: 'hash.bytes(text.toBytes("abc")) == hash.sha256("abc")',
      run: ({ bytes, algorithm }) => digest(algorithm, Buffer.from(bytes, 'base64')),
    }),
    json: pure({
      doc: 'The SHA-256 of a value: equal values have the same, whatever the order of their fields.',
      input: { value: t.json.describe('The value.') }, output: z.string(), runs: 'thread',
      example: 'hash.json({ a: 1, b: 2 }) == hash.json({ b: 2, a: 1 })',
      run: ({ value }) => digest('sha256', canonical(value)),
    }),
    file: reads({
      doc: 'The fingerprint of a file of at most 10 MB.',
      input: { path: t.path.describe('The file.'), algorithm }, output: z.string(),
      needs: { 'fs.read': ['$path'] },
      run: async ({ path, algorithm }, context) => digest(algorithm, await context.files.readBytes(path, { maxBytes: MAX_FILE_BYTES })),
    }),
  },
})
