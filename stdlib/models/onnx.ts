// ONNX: models that run on this machine, from a folder of it, by Transformers.js and ONNX Runtime. Nothing is ever fetched.
// Owns: opening a model, the processes it lives in, deadlines, giving up. Does not own: what is in the folder (onnx-folder.ts), a question there (onnx-child.ts).
//   N1. Each instance of a model has a process of its own: loading it and each step of an answer would hold everything else. A thread is not enough: one that is
//       ended while ONNX Runtime calculates takes the whole process with it (1.30.0), and so does a model that makes it crash.
//   N2. Giving up ends the process: nothing else stops a step that is being calculated. The next question loads the model again.
//   N3. A model is loaded with the first question, stays for the next one, and keeps nobody waiting at the end of the process.
//   N4. One question at a time where the program says nothing: each instance takes the memory of the whole model.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ModelFailure, z, type ChatReply, type ChatRequest, type Model, type ModelAbilities, type ModelContext, type ModelPlace, type ModelProvider } from 'tek-lang/plugin'
import { lookAtFolder, type OnnxFolder } from './onnx-folder.ts'
import type { OnnxAnswer, OnnxJob, OnnxStart } from './onnx-messages.ts'

const MAX_THREADS = 256

const options = z.object({
  /** Threads of one calculation; default 1. */
  threads: z.int().min(1).max(MAX_THREADS).optional(),
  /** On the graphics processor, by WebGPU; where there is none, the model does not load. */
  gpu: z.boolean().optional(),
})

/** @param childUrl the built onnx-child.ts. */
export function onnxFrom(childUrl: URL) {
  return {
    doc: 'Models that run on this machine, from a folder of it.',
    options,
    async open(model, { threads = 1, gpu = false }, { folder }: ModelPlace) {
      return new OnnxModel(childUrl, { folder: await lookAtFolder(model, folder), threads, usesGpu: gpu })
    },
  } satisfies ModelProvider<typeof options>
}

export const onnx = onnxFrom(new URL('./onnx-child.mjs', import.meta.url))

class OnnxModel implements Model {
  readonly abilities: ModelAbilities
  readonly hosts: readonly string[] = []
  readonly parallel = 1 // N4
  private readonly childUrl: URL
  private readonly start: OnnxStart
  private readonly idle: Instance[] = []
  private readonly all = new Set<Instance>()

  constructor(childUrl: URL, start: OnnxStart) {
    this.childUrl = childUrl
    this.start = start
    const { takesTools, contextTokens }: OnnxFolder = start.folder
    this.abilities = { images: false, tools: takesTools, schemas: false, contextTokens }
  }

  async ask(request: ChatRequest, context: ModelContext): Promise<ChatReply> {
    const answer = await this.during({ kind: 'ask', request }, context)
    if (answer.kind !== 'reply') throw new ModelFailure('server', 'The model gave no answer.')
    return answer.reply
  }

  async countTokens(request: ChatRequest, context: ModelContext): Promise<number> {
    const answer = await this.during({ kind: 'count', request }, context)
    if (answer.kind !== 'counted') throw new ModelFailure('server', 'The model counted nothing.')
    return answer.tokens
  }

  async close(): Promise<void> {
    await Promise.all([...this.all].map(each => each.end()))
  }

  private async during(job: OnnxJob, context: ModelContext): Promise<OnnxAnswer> {
    if (context.signal.aborted) throw new ModelFailure('cancelled', 'The request was given up.')
    const instance = this.idle.pop() ?? this.begin()
    try {
      return await instance.do(job, context)
    } finally {
      if (this.all.has(instance)) this.idle.push(instance) // N3
    }
  }

  private begin(): Instance {
    const instance = new Instance(this.childUrl, this.start, () => {
      this.all.delete(instance)
      const at = this.idle.indexOf(instance)
      if (at !== -1) this.idle.splice(at, 1)
    })
    this.all.add(instance)
    return instance
  }
}

/** One process with the model. */
class Instance {
  private readonly child: ChildProcess
  private readonly ended: () => void
  private readonly gone: Promise<void>
  private job: { readonly answer: (answer: OnnxAnswer) => void; readonly fail: (error: ModelFailure) => void } | null = null

  constructor(childUrl: URL, start: OnnxStart, ended: () => void) {
    this.ended = ended
    const env = process.env['SystemRoot'] === undefined ? {} : { SystemRoot: process.env['SystemRoot'] } // without it, nothing starts on Windows
    this.child = fork(fileURLToPath(childUrl), [JSON.stringify(start)], { env, execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    this.rest()
    this.child.on('message', answer => this.job?.answer(answer as OnnxAnswer))
    this.gone = new Promise(resolve => {
      const over = (why: string): void => {
        this.lost(`The process of the model ended${why}.`)
        resolve()
      }
      this.child.on('error', error => over(`: ${error.message.slice(0, 500)}`))
      this.child.on('exit', (code, signal) => over(` (${signal ?? `exit code ${code}`})`))
    })
  }

  async do(job: OnnxJob, { signal, firstByteMs, idleMs, onDelta }: ModelContext): Promise<OnnxAnswer> {
    let timer: NodeJS.Timeout | undefined
    let giveUp = (): void => {}
    this.child.ref()
    this.child.channel?.ref()
    try {
      return await new Promise<OnnxAnswer>((resolve, reject) => {
        const late = (ms: number): void => {
          clearTimeout(timer)
          timer = setTimeout(() => this.stop(reject, new ModelFailure('timed-out', `The model wrote nothing for ${Math.round(ms / 1_000)} s.`)), Math.min(ms, 2 ** 31 - 1))
        }
        giveUp = () => this.stop(reject, new ModelFailure('cancelled', 'The request was given up.'))
        signal.addEventListener('abort', giveUp, { once: true })
        late(firstByteMs)
        this.job = { fail: reject, answer: answer => {
          if (answer.kind === 'failure') return reject(new ModelFailure(answer.code, answer.message, answer.details === undefined ? {} : { details: answer.details }))
          if (answer.kind !== 'delta') return resolve(answer)
          late(idleMs)
          onDelta({ kind: 'text', text: answer.text })
        } }
        this.child.send(job, error => void (error && this.lost('The process of the model ended.')))
      })
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      this.job = null
      this.rest()
    }
  }

  async end(): Promise<void> {
    this.ended()
    this.child.ref() // its end is waited for
    this.child.kill('SIGKILL')
    await this.gone
  }

  /** N3. */
  private rest(): void {
    this.child.unref()
    this.child.channel?.unref()
  }

  /** N2. */
  private stop(reject: (error: ModelFailure) => void, error: ModelFailure): void {
    void this.end()
    reject(error)
  }

  private lost(message: string): void {
    this.ended()
    this.job?.fail(new ModelFailure('server', message))
  }
}
