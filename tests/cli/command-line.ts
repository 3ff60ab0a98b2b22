// Command line: runs `main` inside the test's process, with streams that remember.
import { PassThrough, Readable } from 'node:stream'
import { main } from '../../src/cli/main.ts'

export interface Answer {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Around {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** Standard output and error are terminals this wide. */
  readonly terminal?: number
}

export async function tek(words: readonly string[], around: Around = {}): Promise<Answer> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  if (around.terminal !== undefined) for (const stream of [stdout, stderr]) Object.assign(stream, { isTTY: true, columns: around.terminal })
  const code = await main(words, { stdin: Readable.from([Buffer.from(around.stdin ?? '')]), stdout, stderr, cwd: around.cwd ?? process.cwd(), env: around.env ?? {} })
  const text = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? Buffer.alloc(0)).toString()
  return { code, out: text(stdout), err: text(stderr) }
}
