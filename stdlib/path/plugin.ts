// path: paths as text, without looking at any file.
// Owns: taking paths apart and putting them together. Does not own: whether they exist (fs).
//   P1. tek paths use `/` on every system; a backslash is an ordinary character.
import { posix } from 'node:path'
import { definePlugin, pure, reads, t, ToolFailure, z } from 'tek-lang/plugin'
import { globMatches } from './glob.ts'

const MAX_PATH_LENGTH = 4_096

function checked(text: string): string {
  if (text === '') throw new ToolFailure('empty', 'A path may not be empty.', { help: 'Use "." for the working directory.' })
  if (text.includes('\0')) throw new ToolFailure('bad-path', 'A path may not hold the character NUL.')
  if (text.length > MAX_PATH_LENGTH) throw new ToolFailure('too-long', `A path has at most ${MAX_PATH_LENGTH} characters.`)
  return text
}

const isInside = (path: string, folder: string): boolean => {
  const rest = posix.relative(posix.resolve('/', folder), posix.resolve('/', path))
  return rest !== '..' && !rest.startsWith('../')
}

const path = t.path.describe('The path.')

export default definePlugin({
  name: 'path',
  version: '1.0.0',
  doc: 'Paths as text: taking them apart, putting them together, matching them. Looks at no file.',
  tools: {
    of: pure({
      doc: 'Text as a path. Fails for empty text and text with NUL.',
      input: { text: z.string().describe('The text.') },
      output: t.path,
      example: 'path.of("src/a.ts") == "src/a.ts"',
      run: ({ text }) => checked(text),
    }),
    join: pure({
      doc: 'Joins parts with `/` and removes `.` and `..` where it can. A later absolute part does not start anew.',
      input: { parts: z.array(z.string()).default([]).describe('The parts, in order.') },
      rest: 'parts',
      output: t.path,
      example: 'path.join("src", "../lib", "a.ts") == "lib/a.ts"',
      run: ({ parts }) => checked(posix.join(...parts)),
    }),
    base: pure({
      doc: 'The last part: the name of the file with its extension.',
      input: { path },
      output: z.string(),
      example: 'path.base("src/a.test.ts") == "a.test.ts"',
      run: ({ path }) => posix.basename(path),
    }),
    dir: pure({
      doc: 'Everything before the last part; "." when there is only one part.',
      input: { path },
      output: t.path,
      example: 'path.dir("src/a.ts") == "src"',
      run: ({ path }) => posix.dirname(path),
    }),
    ext: pure({
      doc: 'The extension with its dot, or "" when there is none.',
      input: { path },
      output: z.string(),
      example: 'path.ext("src/a.test.ts") == ".ts"',
      run: ({ path }) => posix.extname(path),
    }),
    stem: pure({
      doc: 'The last part without its extension.',
      input: { path },
      output: z.string(),
      example: 'path.stem("src/a.test.ts") == "a.test"',
      run: ({ path }) => posix.parse(path).name,
    }),
    withExt: pure({
      doc: 'The same path with another extension.',
      input: { path, ext: z.string().describe('The new extension, with its dot; "" removes it.') },
      output: t.path,
      example: 'path.withExt("src/a.ts", ".js") == "src/a.js"',
      run: ({ path, ext }) => {
        const parts = posix.parse(path)
        return checked(posix.format({ root: parts.root, dir: parts.dir, name: parts.name, ext }))
      },
    }),
    parts: pure({
      doc: 'The parts between the slashes; an absolute path starts with "/".',
      input: { path },
      output: z.array(z.string()),
      example: 'path.parts("/src/a.ts") == ["/", "src", "a.ts"]',
      run: ({ path }) => [...(posix.isAbsolute(path) ? ['/'] : []), ...path.split('/').filter(part => part !== '')],
    }),
    normalize: pure({
      doc: 'Removes `.`, doubled slashes, a slash at the end, and `..` where it can.',
      input: { path },
      output: t.path,
      example: 'path.normalize("./src//x/../a.ts") == "src/a.ts"',
      run: ({ path }) => {
        const plain = posix.normalize(path)
        return plain.length > 1 && plain.endsWith('/') ? plain.slice(0, -1) : plain
      },
    }),
    relative: pure({
      doc: 'The way from one folder to a path. Both must be absolute or both relative.',
      input: { from: t.path.describe('The folder to start from.'), to: t.path.describe('Where to go.') },
      output: t.path,
      example: 'path.relative("src/a", "src/b/c.ts") == "../b/c.ts"',
      run: ({ from, to }) => {
        if (posix.isAbsolute(from) !== posix.isAbsolute(to)) throw new ToolFailure('mixed', 'One path is absolute and the other is not.')
        return posix.relative(posix.resolve('/', from), posix.resolve('/', to)) || '.'
      },
    }),
    isAbsolute: pure({
      doc: 'Whether the path starts at the root.',
      input: { path },
      output: z.boolean(),
      example: 'path.isAbsolute("/etc") == true',
      run: ({ path }) => posix.isAbsolute(path),
    }),
    isInside: pure({
      doc: 'Whether a path is the folder itself or below it, as text (links are not looked at).',
      input: { path, folder: t.path.describe('The folder.') },
      output: z.boolean(),
      example: 'path.isInside("src/../secret", "src") == false',
      run: ({ path, folder }) => posix.isAbsolute(path) === posix.isAbsolute(folder) && isInside(path, folder),
    }),
    matches: pure({
      doc: 'Whether a path matches a glob: `*` and `?` inside a segment, `**` for any number of segments, `{a,b}` for either.',
      input: { path, glob: z.string().describe('The pattern.') },
      output: z.boolean(),
      example: 'path.matches("src/a/b.test.ts", "src/**/*.{test,spec}.ts") == true',
      run: ({ path, glob }) => globMatches(path, glob),
    }),
    absolute: reads({
      doc: 'The absolute path, seen from the working directory of the run.',
      input: { path },
      output: t.path,
      run: async ({ path }, context) => posix.resolve(context.cwd, checked(path)),
    }),
  },
})
