// The host for tests keeps the promises of the real one that tests rely on.
import { describe, expect, test } from 'vitest'
import { HostError } from '#host/host.ts'
import { memoryHost } from '#testing/memory-host.ts'

const coded = (code: string) => expect.objectContaining({ name: 'HostError', code }) as HostError
const never = new AbortController().signal
const command = { program: 'git', args: ['log'], cwd: '/project', env: {}, timeoutMs: 1_000, maxOutputBytes: 100 }
const request = { method: 'GET', url: 'https://a.test/x', headers: {}, timeoutMs: 1_000, maxBodyBytes: 10, mayFollow: () => undefined }

describe('files', () => {
  test('reading, writing, listing, links', async () => {
    const { files } = memoryHost({ files: { 'a.txt': 'a', 'd/b.txt': 'b', '/etc/x': new Uint8Array([0xff]) }, links: { link: 'd', dangling: '/nowhere' } })
    expect(files.readTextSync('/project/link/b.txt', 10)).toBe('b')
    expect(() => files.readTextSync('/etc/x', 10)).toThrow(coded('not-utf8'))
    expect(() => files.readTextSync('/project/a.txt', 0)).toThrow(coded('too-large'))
    await expect(files.readBytes('/project/none', 10)).rejects.toEqual(coded('not-found'))
    await expect(files.readBytes('/project/d', 10)).rejects.toEqual(coded('not-a-file'))
    expect((await files.list('/project')).map(({ name, kind }) => `${name} ${kind}`)).toEqual(['a.txt file', 'd directory', 'dangling link', 'link link'])
    expect(await files.realPath('/project/link/new')).toBe('/project/d/new')
    expect(await files.realPath('/project/dangling')).toBe('/nowhere')
    await files.writeAtomic('/project/new/deep.txt', 'x')
    await files.append('/project/new/deep.txt', 'y')
    await files.rename('/project/new', '/project/moved')
    await files.remove('/project/d')
    expect(files.snapshot()).toEqual({ '/etc/x': '\ufffd', '/project/a.txt': 'a', '/project/moved/deep.txt': 'xy' })
  })
  test('planted faults', async () => {
    const { files } = memoryHost({ files: { 'a.txt': 'a' } })
    files.fail('/project/a.txt', 'disk-full')
    await expect(files.writeAtomic('/project/a.txt', 'x')).rejects.toEqual(coded('disk-full'))
    expect(files.snapshot()).toEqual({ '/project/a.txt': 'a' })
  })
})

test('the clock moves only when told to, and wakes sleepers in order', async () => {
  const host = memoryHost({ nowMs: 1_000 })
  const woken: number[] = []
  const sleeper = async (ms: number): Promise<void> => { await host.sleep!(ms, never); woken.push(host.now()) }
  const all = [sleeper(300), sleeper(100).then(() => sleeper(50)), sleeper(10_000)]
  await host.advance(500)
  expect(woken).toEqual([1_100, 1_150, 1_300])
  expect(host.now()).toBe(1_500)
  await host.advance(10_000)
  await Promise.all(all)
})

test('scripted commands and answers', async () => {
  const host = memoryHost({
    command: ({ args }) => (args[0] === 'log' ? { stdout: 'one' } : undefined),
    answer: ({ url }) => (url.endsWith('/x') ? { status: 302, headers: { location: '/y' } } : url.endsWith('/y') ? { body: 'y' } : url.endsWith('/long') ? { body: 'x'.repeat(11) } : undefined),
  })
  expect(await host.run(command, never)).toMatchObject({ exitCode: 0, stdout: 'one' })
  await expect(host.run({ ...command, args: [] }, never)).rejects.toEqual(coded('no-program'))
  expect(host.commands).toHaveLength(2)
  const followed: string[] = []
  expect(await host.fetch({ ...request, mayFollow: url => void followed.push(url) }, never)).toMatchObject({ status: 200, body: 'y', url: 'https://a.test/y' })
  expect(followed).toEqual(['https://a.test/y'])
  await expect(host.fetch({ ...request, url: 'https://a.test/long' }, never)).rejects.toEqual(coded('too-large'))
  await expect(host.fetch({ ...request, url: 'https://a.test/z' }, never)).rejects.toEqual(coded('no-network'))
})
