// Browser: a real Chromium, driven over a pipe by its own protocol (https://chromedevtools.github.io/devtools-protocol/).
// Owns: its process, one page, what that page complained of. No port is opened and no other file is read than the one that is shown.
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Where one lies on PATH; null where there is none. */
export function chromiumPath(): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) {
      try {
        accessSync(join(folder, name), constants.X_OK)
        return join(folder, name)
      } catch {
        continue
      }
    }
  }
  return null
}

export interface Page {
  send(method: string, params?: object): Promise<any>
  /** The value of an expression in the page. */
  value(expression: string): Promise<any>
  /** Errors of the page and warnings of the browser about it. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

/** Opens a page and waits until it is loaded. */
export async function openPage(path: string, url: string): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'tek-browser-'))
  const words = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank']
  const child = spawn(path, words, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
  const ended = new Promise<void>(done => child.on('close', () => done()))
  const [toIt, fromIt] = [child.stdio[3] as Writable, child.stdio[4] as Readable]
  const waiting = new Map<number, { done: (result: any) => void; failed: (error: Error) => void }>()
  const complaints: string[] = []
  let loaded = (): void => {}
  const isLoaded = new Promise<void>(done => (loaded = done))
  let session: string | undefined
  let last = 0
  let rest = ''
  const hear = (message: any): void => {
    if (message.id !== undefined) {
      const { done, failed } = waiting.get(message.id)!
      waiting.delete(message.id)
      if (message.error) failed(new Error(message.error.message))
      else done(message.result)
    }
    if (message.method === 'Page.loadEventFired') loaded()
    if (message.method === 'Runtime.exceptionThrown') complaints.push(message.params.exceptionDetails.text)
    if (message.method === 'Log.entryAdded') complaints.push(`${message.params.entry.level}: ${message.params.entry.text}`)
    if (message.method === 'Runtime.consoleAPICalled') complaints.push(message.params.type)
  }
  fromIt.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\0')
    rest = parts.pop()!
    for (const part of parts) hear(JSON.parse(part))
  })
  toIt.on('error', () => {})
  const send = (method: string, params: object = {}): Promise<any> => new Promise((done, failed) => {
    waiting.set(++last, { done, failed })
    toIt.write(`${JSON.stringify({ id: last, method, params, ...(session === undefined ? {} : { sessionId: session }) })}\0`)
  })
  void ended.then(() => waiting.forEach(each => each.failed(new Error('the browser ended'))))
  const { targetInfos } = await send('Target.getTargets')
  const page = targetInfos.find((each: any) => each.type === 'page')
  session = (await send('Target.attachToTarget', { targetId: page.targetId, flatten: true })).sessionId
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`)
  await send('Page.navigate', { url })
  await isLoaded
  return {
    send, complaints,
    value: async expression => (await send('Runtime.evaluate', { expression, returnByValue: true })).result.value,
    close: async () => {
      child.kill('SIGKILL')
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
