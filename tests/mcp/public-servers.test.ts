// The public servers everything, filesystem and memory: locked, called by programs, confined, over standard input and output and over HTTP.
import { spawn, type ChildProcess } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openaiProtocol } from '../models/openai-protocol.ts'
import { serveProtocol } from '../models/protocol-server.ts'
import { publicServer, root, ServerProject } from './server-project.ts'

const made: ServerProject[] = []
const started: ChildProcess[] = []
afterEach(() => {
  for (const each of started.splice(0)) each.kill('SIGKILL')
  for (const each of made.splice(0)) each.remove()
})

function projectOf(servers: Readonly<Record<string, object>>, files: Readonly<Record<string, string>> = {}): ServerProject {
  const project = new ServerProject(servers, files)
  made.push(project)
  return project
}

test('everything: text, structured content, pieces, progress, an error', async () => {
  const project = await projectOf({ every: publicServer('everything', [], { content: ['get-tiny-image'] }) }).locked()
  const { value, err, code } = await project.run(`use mcp "every" as every

workflow main() {
  can mcp("every")
  task said timeout 50s = every.echo("hello")
  task weather timeout 50s = every.get_structured_content("Chicago")
  task image timeout 50s = every.get_tiny_image()
  task long timeout 50s = every.trigger_long_running_operation(duration: 1, steps: 3)
  return { said: said, weather: weather.humidity, kinds: [each.kind for each in image], long: long }
}
`)
  expect(err).not.toContain('error')
  expect(value).toEqual({ said: 'Echo: hello', weather: expect.any(Number), kinds: ['text', 'image', 'text'], long: expect.stringContaining('completed') })
  expect(code).toBe(0)
})

test('filesystem: it sees and changes what the calling workflow may, and nothing beside it', async () => {
  const project = projectOf({}, { 'notes/a.txt': 'a note', 'notes/sub/b.txt': 'deeper', 'other/secret.txt': 'not for it' })
  project.declare({ files: publicServer('filesystem', [project.path]) })
  await project.locked()
  const program = (can: string, call: string) => `use mcp "files" as files

workflow main() {
  can mcp("files"), ${can}
  task found timeout 50s on failure continue = ${call}
  return found
}
`
  const of = async (can: string, call: string) => (await project.run(program(can, call))).value
  expect(await of('fs.read("notes/**")', `files.read_text_file("${project.path}/notes/a.txt")`)).toEqual({ content: 'a note' })
  expect(await of('fs.read("notes/**")', `files.read_text_file("${project.path}/other/secret.txt")`)).toBe('')
  expect(await of('fs.read("notes/**")', `files.write_file("${project.path}/notes/new.txt", "mine")`)).toBe('')
  expect(await of('fs.read("notes/**"), fs.write("notes/**")', `files.write_file("${project.path}/notes/new.txt", "mine")`)).toMatchObject({ content: expect.stringContaining('Successfully') })
  expect(readFileSync(join(project.path, 'notes/new.txt'), 'utf8')).toBe('mine')
})

test('memory: what one call keeps the next one finds, in the same process', async () => {
  const project = projectOf({})
  mkdirSync(join(project.path, 'kept'))
  project.declare({ memory: { ...publicServer('memory'), env: { MEMORY_FILE_PATH: join(project.path, 'kept', 'memory.jsonl') } } })
  await project.locked()
  const { value, err } = await project.run(`use mcp "memory" as memory

workflow main() {
  can mcp("memory"), fs.read("kept/**"), fs.write("kept/**")
  task made timeout 50s = memory.create_entities([{ name: "tek", entityType: "language", observations: ["small"] }])
  task found after made timeout 50s = memory.search_nodes("tek")
  return [each.name for each in found.entities]
}
`)
  expect(err).not.toContain('error')
  expect(value).toEqual(['tek'])
  expect(readFileSync(join(project.path, 'kept', 'memory.jsonl'), 'utf8')).toContain('"tek"')
})

test('everything over HTTP, and no other address', { timeout: 120_000 }, async () => {
  const port = await freePort()
  const server = spawn(process.execPath, [join(root, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js'), 'streamableHttp'], { env: { PATH: process.env['PATH'] ?? '', PORT: String(port) }, stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(server)
  await new Promise<void>(resolve => {
    let said = ''
    const hear = (chunk: Buffer): void => {
      said += chunk.toString()
      if (said.includes('listening') || said.includes(String(port))) resolve()
    }
    server.stdout!.on('data', hear)
    server.stderr!.on('data', hear)
  })
  const project = await projectOf({ every: { url: `http://127.0.0.1:${port}/mcp`, headers: { 'X-Who': '${WHO:-nobody}' } } }).locked().catch((error: unknown) => { throw error })
  const program = 'use mcp "every" as every\n\nworkflow main() -> string {\n  can mcp("every", "ec*")\n  task said timeout 50s = every.echo("over the wire")\n  return trust(said, "a test")\n}\n'
  const { value, err } = await project.run(program, { env: { WHO: 'somebody' } })
  expect(err).not.toContain('error')
  expect(value).toBe('Echo: over the wire')
  project.write('x.tek', program)
  expect((await project.tek(['plan', 'x.tek'])).out).toContain(`every: reaches http://127.0.0.1:${port}/mcp with the header X-Who`)
})

test('an agent calls a tool by its name, and gets what the server answers', async () => {
  const project = await projectOf({ every: publicServer('everything') }).locked()
  const models = await serveProtocol(openaiProtocol)
  models.next(
    { kind: 'reply', content: [{ kind: 'tool-use', id: 'a', name: 'every_echo', input: { message: 'from a model' } }], stop: 'tool-use' },
    { kind: 'reply', content: [{ kind: 'text', text: 'It said so.' }], stop: 'done' },
  )
  try {
    const { value, err } = await project.run(`use mcp "every" as every

model near = openai("m", baseUrl: "${models.url}")

agent helper {
  model near
  can mcp("every", "echo")
  tools every.echo
}

workflow main() -> string {
  can mcp("every", "echo"), llm("near")
  task said by helper -> string timeout 50s = prompt """Say hello."""
  return trust(said, "a test")
}
`)
    expect(err).not.toContain('error')
    expect(value).toBe('It said so.')
    expect(JSON.stringify(models.seen[0]!.body)).toContain('Echoes back the input string')
    expect(JSON.stringify(models.seen[1]!.body)).toContain('Echo: from a model')
  } finally {
    await models.close()
  }
})

test('a killed run goes on: what a server answered is not asked for again', async () => {
  const project = await projectOf({ every: publicServer('everything') }).locked()
  project.write('main.tek', `use mcp "every" as every

workflow main() -> string {
  can mcp("every")
  task said timeout 50s = every.echo("hello")
  task long after said timeout 50s = every.trigger_long_running_operation(duration: 2, steps: 2)
  return trust("\${said}, \${long}", "a test")
}
`)
  const killed = await project.tek(['run', 'main.tek'], { onErr: (text, kill) => (/done +said/.test(text) ? kill('SIGKILL') : undefined) })
  expect(killed.code).not.toBe(0)
  const resumed = await project.tek(['resume'])
  expect(resumed.out).toContain('Echo: hello, Long running operation completed')
  expect(resumed.err).not.toMatch(/done +said/)
})

test('examples/mcp: the server is as agreed, and its tools are called', async () => {
  const example = join(root, 'examples', 'mcp')
  const project = projectOf({}, Object.fromEntries(['.mcp.json', 'tek.mcp.lock.json', 'notes.tek', 'notes/ship.md', 'notes/garden.md'].map(name => [name, readFileSync(join(example, name), 'utf8')])))
  project.write('.mcp.json', readFileSync(join(example, '.mcp.json'), 'utf8'))
  install('@modelcontextprotocol/server-filesystem', join(project.path, 'node_modules'))
  const { code, err } = await project.tek(['mcp', 'lock', '--check'])
  expect(err).toContain('Nothing changed')
  expect(code).toBe(0)
  expect((await project.tek(['run', 'notes.tek', 'count'])).out).toBe('2\n')
  expect((await project.tek(['test', 'notes.tek'])).code).toBe(0)
})

/** A package with all that it depends on, as they are installed here. */
function install(name: string, folder: string): void {
  const [from, to] = [join(root, 'node_modules', name), join(folder, name)]
  if (existsSync(to) || !existsSync(from)) return
  cpSync(from, to, { recursive: true })
  const { dependencies = {} } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> }
  for (const each of Object.keys(dependencies)) install(each, folder)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}
