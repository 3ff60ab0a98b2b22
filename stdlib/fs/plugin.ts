// fs: files and folders, behind the guard.
// Owns: the tools programs use on files, and the grants `fs.read` and `fs.write`. Does not own: whether a path may be touched (the guard).
//   F1. What a file holds is untrusted text; that a file exists, its size and its name under a trusted pattern are not.
//   F2. A path that is written to must be trusted.
//   F3. Made again after a crash, a call leaves what it would have left at once; `append` as well (its context notes what was added).
import { definePlugin, reads, t, ToolFailure, writes, z, type ToolContext } from 'tek-lang/plugin'

const MAX_FILE_BYTES = 10_000_000
const MAX_WALK_ENTRIES = 1_000_000
const MAX_WALK_DEPTH = 64

const entryKind = z.enum(['file', 'directory', 'link', 'other'])
const readPath = t.path.describe('The file, relative to the working directory of the run unless absolute.')
const writePath = t.path.describe('The file to write; parent folders are made.')
const maxBytes = t.size.default(MAX_FILE_BYTES).describe('Refuse a file larger than this, in bytes; at most 10 MB.')

function boundedBytes(bytes: number): number {
  if (!(bytes >= 0) || bytes > MAX_FILE_BYTES) throw new ToolFailure('bad-limit', `maxBytes must be from 0 to ${MAX_FILE_BYTES} bytes.`)
  return Math.floor(bytes)
}

/** Splits at LF, CRLF or CR; a line end at the very end does not make one more line. */
function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/)
  if (lines[lines.length - 1] === '') lines.pop()
  return lines
}

const join = (directory: string, name: string) => (directory === '' || directory === '.' ? name : `${directory.replace(/\/+$/, '')}/${name}`)

async function sizeOf(path: string, context: ToolContext): Promise<number> {
  const found = await context.files.stat(path)
  if (found === null) throw new ToolFailure('not-found', `There is nothing at ${path}.`)
  if (found.kind !== 'directory') return found.sizeBytes
  let total = 0
  let entries = 0
  const waiting: { path: string; depth: number }[] = [{ path, depth: 0 }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.depth > MAX_WALK_DEPTH) throw new ToolFailure('too-deep', `${next.path} is more than ${MAX_WALK_DEPTH} folders deep.`)
    for (const entry of await context.files.list(next.path)) {
      if (++entries > MAX_WALK_ENTRIES) throw new ToolFailure('too-many', `${path} holds more than ${MAX_WALK_ENTRIES} entries.`)
      const child = join(next.path, entry.name)
      if (entry.kind === 'directory') waiting.push({ path: child, depth: next.depth + 1 })
      else if (entry.kind === 'file') total += (await context.files.stat(child))?.sizeBytes ?? 0
    }
  }
  return total
}

export default definePlugin({
  name: 'fs',
  version: '1.0.0',
  doc: 'Files and folders. Reading needs `fs.read`, writing needs `fs.write`; what a file holds is untrusted.',
  grants: {
    read: { doc: 'Read files that match a glob.', params: { glob: 'path' }, access: 'read' },
    write: { doc: 'Write, move and remove files that match a glob.', params: { glob: 'path' }, access: 'write' },
  },
  tools: {
    read: reads({
      doc: 'The text of a file, which must be UTF-8.',
      input: { path: readPath, maxBytes },
      output: z.string(),
      needs: { 'fs.read': ['$path'] },
      untrusted: true,
      run: ({ path, maxBytes }, context) => context.files.readText(path, { maxBytes: boundedBytes(maxBytes) }),
    }),
    readBytes: reads({
      doc: 'The bytes of a file, as base64.',
      input: { path: readPath, maxBytes },
      output: t.bytes,
      needs: { 'fs.read': ['$path'] },
      untrusted: true,
      run: async ({ path, maxBytes }, context) =>
        Buffer.from(await context.files.readBytes(path, { maxBytes: boundedBytes(maxBytes) })).toString('base64'),
    }),
    lines: reads({
      doc: 'The lines of a text file, without their line ends.',
      input: { path: readPath, maxBytes },
      output: z.array(z.string()),
      needs: { 'fs.read': ['$path'] },
      untrusted: true,
      run: async ({ path, maxBytes }, context) => splitLines(await context.files.readText(path, { maxBytes: boundedBytes(maxBytes) })),
    }),
    glob: reads({
      doc: 'The files that match a pattern, sorted. `*` and `?` stay inside one folder, `**` crosses folders, `{a,b}` is either. `.git`, `.tek` and `node_modules` are left out unless the pattern names them. Nothing found is an empty list.',
      input: {
        pattern: z.string().describe('The pattern, for example `src/**/*.ts`.'),
        limit: t.int.default(100_000).describe('Fail when more files match than this; at most 100,000.'),
      },
      output: z.array(t.path),
      needs: { 'fs.read': ['$pattern'] },
      run: async ({ pattern, limit }, context) => {
        if (limit < 1 || limit > 100_000) throw new ToolFailure('bad-limit', 'limit must be from 1 to 100,000 files.')
        return [...(await context.files.glob(pattern, { maxFiles: limit }))]
      },
    }),
    exists: reads({
      doc: 'Whether there is a file or folder at this path.',
      input: { path: readPath },
      output: z.boolean(),
      needs: { 'fs.read': ['$path'] },
      run: async ({ path }, context) => (await context.files.stat(path)) !== null,
    }),
    stat: reads({
      doc: 'What is at a path: its kind, size in bytes and time of the last change (milliseconds since 1970); null when there is nothing.',
      input: { path: readPath },
      output: z.object({ kind: z.enum(['file', 'directory', 'other']), size: t.size, modified: t.int }).nullable(),
      needs: { 'fs.read': ['$path'] },
      run: async ({ path }, context) => {
        const found = await context.files.stat(path)
        return found && { kind: found.kind, size: found.sizeBytes, modified: Math.trunc(found.modifiedMs) }
      },
    }),
    size: reads({
      doc: 'Size of a file, or of everything under a folder (links are not followed), in bytes.',
      input: { path: readPath },
      output: t.size,
      needs: { 'fs.read': ['$path'] },
      run: ({ path }, context) => sizeOf(path, context),
    }),
    list: reads({
      doc: 'What is directly inside a folder, sorted by name.',
      input: { path: t.path.default('.').describe('The folder.') },
      output: z.array(z.object({ name: t.untrusted(z.string()), path: t.path, kind: entryKind })),
      needs: { 'fs.read': ['$path'] },
      run: async ({ path }, context) =>
        [...(await context.files.list(path))]
          .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
          // A path that begins with `-` would be an option to a command it is given to.
          .map(entry => ({ name: entry.name, path: join(path, entry.name).replace(/^-/, './-'), kind: entry.kind })),
    }),
    write: writes({
      doc: 'Writes a text file, replacing what was there: the file is the old one or the new one, never half. Gives the path.',
      input: { path: writePath, text: z.string().describe('The whole new content.') },
      output: t.path,
      needs: { 'fs.write': ['$path'] },
      sinks: ['path'],
      run: async ({ path, text }, context) => {
        await context.files.writeText(path, text)
        return path
      },
    }),
    writeBytes: writes({
      doc: 'Writes a file from base64, replacing what was there. Gives the path.',
      input: { path: writePath, bytes: t.bytes.describe('The whole new content, as base64.') },
      output: t.path,
      needs: { 'fs.write': ['$path'] },
      sinks: ['path'],
      run: async ({ path, bytes }, context) => {
        if (!/^[A-Za-z0-9+/]*={0,2}$/.test(bytes) || bytes.length % 4 !== 0) throw new ToolFailure('bad-bytes', 'The content is not base64.')
        await context.files.writeBytes(path, Buffer.from(bytes, 'base64'))
        return path
      },
    }),
    append: writes({
      doc: 'Adds text at the end of a file, which is made when it does not exist; once, also when a run is resumed in the middle of it. Gives the path.',
      input: { path: writePath, text: z.string().describe('What to add.') },
      output: t.path,
      needs: { 'fs.write': ['$path'] },
      sinks: ['path'],
      run: async ({ path, text }, context) => {
        await context.files.append(path, text)
        return path
      },
    }),
    copy: writes({
      doc: 'Copies one file of at most 10 MB. Gives the new path.',
      input: { from: readPath, to: writePath },
      output: t.path,
      needs: { 'fs.read': ['$from'], 'fs.write': ['$to'] },
      sinks: ['to'],
      run: async ({ from, to }, context) => {
        await context.files.writeBytes(to, await context.files.readBytes(from, { maxBytes: MAX_FILE_BYTES }))
        return to
      },
    }),
    move: writes({
      doc: 'Moves or renames a file or folder; both places need `fs.write`, and the old one `fs.read`. Gives the new path.',
      input: { from: t.path.describe('What to move.'), to: writePath },
      output: t.path,
      needs: { 'fs.read': ['$from'], 'fs.write': [['$from'], ['$to']] },
      sinks: ['from', 'to'],
      run: async ({ from, to }, context) => {
        try {
          await context.files.move(from, to)
        } catch (problem) {
          // F3: gone from there and at its new place, moved by this very call.
          const isMoved = context.begunBefore && (await context.files.stat(from)) === null && (await context.files.stat(to).catch(() => null)) !== null
          if (!isMoved) throw problem
        }
        return to
      },
    }),
    remove: writes({
      doc: 'Removes a file, or a folder with everything in it. Says whether there was something.',
      input: { path: t.path.describe('What to remove.') },
      output: z.boolean(),
      needs: { 'fs.write': ['$path'] },
      sinks: ['path'],
      run: async ({ path }, context) => {
        if ((await context.files.stat(path)) === null) return false
        await context.files.remove(path)
        return true
      },
    }),
    makeDirectory: writes({
      doc: 'Makes a folder and its parents; fine when it is already there. Gives the path.',
      input: { path: t.path.describe('The folder.') },
      output: t.path,
      needs: { 'fs.write': ['$path'] },
      sinks: ['path'],
      run: async ({ path }, context) => {
        await context.files.makeDirectory(path)
        return path
      },
    }),
  },
})
