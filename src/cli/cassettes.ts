// Cassettes: `--record` and `--replay`, and the cassettes that tests name.
// Owns: reading and writing the files, what is said about them. Does not own: what is in them (model/cassette.ts), answering (interpreter/gateway/cassette.ts).
//   C1. A file is written whole or not at all, when a run ends: done, failed or stopped. What is there and is no cassette is never written over, and that is
//       found before anything is run.
//   C2. A run whose models were never asked writes nothing.
import { dirname, resolve } from 'node:path'
import { neutraliseLine, thousands } from '#base/terminal-text.ts'
import { readableJson } from '#base/readable-json.ts'
import type { Json } from '#base/json.ts'
import { cassetteErrors } from '#diagnostics/catalog/cassette.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Host } from '#host/host.ts'
import { type Cassette, MAX_CASSETTE_BYTES } from '#model/cassette.ts'
import type { PlanTest } from '#model/plan.ts'
import type { DriveOptions } from '#tek.ts'
import { CliFailure, type CliContext } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { at, readSource, shownPath, writeFile } from './source-files.ts'

/** The cassette in a file; a coded failure when there is none. `from`: what its path is relative to, in words, if that is not the folder one is in. */
export async function openCassette(host: Host, path: string, from?: string): Promise<Cassette> {
  if (from !== undefined && (await host.files.stat(at(host, path))) === null) throw new CliFailure([cliErrors['file-not-found']({ path, from })], exitCodes.usage)
  const [text, { readCassette }] = [await readSource(host, path), await import('#interpreter/read-cassette.ts')]
  const read = readCassette(text, path)
  if ('code' in read) throw new CliFailure([read], exitCodes.usage)
  return read
}

/** Where the cassettes of a test lie. */
export function cassettePaths(host: Host, folder: string, { given }: Pick<PlanTest, 'given'>): string[] {
  return given.flatMap(each => (each.kind === 'replays' ? [shownPath(host.cwd, resolve(folder, each.cassette))] : []))
}

/** The cassettes that a test names, by their paths there, relative to the folder of its file. */
export async function cassettesOf(host: Host, folder: string, { given }: Pick<PlanTest, 'given'>): Promise<ReadonlyMap<string, Cassette>> {
  const found = new Map<string, Cassette>()
  for (const each of given) {
    if (each.kind !== 'replays' || found.has(each.cassette)) continue
    found.set(each.cassette, await openCassette(host, shownPath(host.cwd, resolve(folder, each.cassette)), 'The path begins at the file of the test. `tek run PROGRAM --record FILE` makes a cassette.'))
  }
  return found
}

export interface Recorder {
  readonly options: Pick<DriveOptions, 'onCassette'>
  /** Writes what was recorded, and says so. */
  end(): Promise<void>
}

/** Records a run to a file. // C1 */
export async function recorderTo(context: CliContext, host: Host, file: string, isQuiet: boolean): Promise<Recorder> {
  const path = shownPath(context.cwd, file)
  await expectWritable(host, path)
  let made: Cassette | null = null
  return {
    options: { onCassette: cassette => { made = cassette } },
    async end() {
      const { conversations = [], ...rest }: Partial<Cassette> = made ?? {}
      const answers = conversations.reduce((sum, each) => sum + each.turns.length, 0)
      const say = (text: string): void => void (isQuiet || context.err.write(`${text}\n`))
      if (answers === 0) return say(`No model was asked: ${neutraliseLine(path)} was not written.`) // C2
      const text = `${readableJson({ ...rest, conversations } as unknown as Json)}\n`
      if (Buffer.byteLength(text) > MAX_CASSETTE_BYTES) throw new CliFailure([cassetteErrors['too-large']({ path, what: `what was recorded is more than ${MAX_CASSETTE_BYTES / 1_048_576} MB; nothing was written` })], exitCodes.failed)
      await writeFile(host, path, text)
      say(`Recorded ${answers === 1 ? 'one answer' : `${thousands(answers)} answers`} in ${neutraliseLine(path)}.`)
    },
  }
}

/** C1. */
async function expectWritable(host: Host, path: string): Promise<void> {
  const [stat, folder] = await Promise.all([host.files.stat(at(host, path)), host.files.stat(dirname(at(host, path)))])
  if (folder?.kind !== 'directory') throw new CliFailure([cliErrors['cannot-write']({ path, reason: 'there is no such folder' })], exitCodes.usage)
  if (stat === null) return
  if (stat.kind !== 'file') throw new CliFailure([cliErrors['is-a-folder']({ path })], exitCodes.usage)
  const text = await readSource(host, path)
  if (!/^\s*\{\s*"cassette"/.test(text)) throw new CliFailure([cassetteErrors['not-a-cassette']({ path, reason: 'something else is there' })], exitCodes.usage)
}
