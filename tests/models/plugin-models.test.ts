// Models that a plugin brings, through the real wall: in an engine, and in a process of Node.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PlanModule } from '#model/plan.ts'
import type { Model, ModelProvider } from '#plugin-api/model-provider.ts'
import { openProject, openWorkshop, type Project, type Workshop } from '../plugins/workshop.ts'
import { asked, contextOf, contractOf, overHttp } from './contract.ts'
import { linesPlugin, linesProtocol } from './lines-plugin.ts'

let workshop: Workshop
let project: Project
const modules = new Map<boolean, PlanModule>()
beforeAll(async () => {
  workshop = await openWorkshop()
  project = openProject(workshop, { 'engine.ts': linesPlugin(false), 'node.ts': linesPlugin(true) })
})
afterAll(async () => {
  await project.close()
  workshop.remove()
})

async function provider(needsNode: boolean, name: string): Promise<ModelProvider> {
  const source = needsNode ? './node.ts' : './engine.ts'
  let module = modules.get(needsNode)
  if (module === undefined) {
    const signature = await project.plugins.signature({ kind: 'plugin', from: project.path('main.tek'), source })
    if (signature === null || 'code' in signature) throw new Error(signature?.message ?? 'no signature')
    module = { name: 'lines', origin: 'plugin', source, release: signature.release, hash: signature.hash, ...(signature.needsNode === undefined ? {} : { needsNode: signature.needsNode }) } as PlanModule
    modules.set(needsNode, module)
  }
  return (await project.plugins.modelProvider(`lines.${name}`, [module], project.folder))!
}

const kept = new Map<boolean, Promise<ModelProvider>>()
const talk = async (needsNode: boolean, url: string): Promise<Model> => {
  const found = kept.get(needsNode) ?? provider(needsNode, 'talk')
  kept.set(needsNode, found)
  return (await found).open('model-of-here', { baseUrl: `${url}/ask` }, { folder: project.folder })
}

for (const needsNode of [false, true]) {
  contractOf({
    name: `a plugin in ${needsNode ? 'a process of Node' : 'an engine'}`, backend: () => overHttp(linesProtocol, url => talk(needsNode, url)), keeps: ['text', 'thinking', 'tool-use'],
    errors: { rateLimited: 'x', overloaded: 'x', badKey: 'x', unknownModel: 'x', tooLong: { type: 'too-long', message: 'too long' } },
  })
}

describe('models of a plugin', () => {
  const odd = async (does: string, other?: string): Promise<Model> => (await provider(false, 'odd')).open('m', { does, ...(other === undefined ? {} : { other }) }, { folder: project.folder })

  test('are described by its signature, options included', async () => {
    const signature = await project.plugins.signature({ kind: 'plugin', from: project.path('main.tek'), source: './engine.ts' })
    expect(signature).toMatchObject({ models: { talk: { name: 'talk', doc: 'A model behind a server that answers in lines.', params: [{ name: 'model', optional: false }, { name: 'baseUrl', optional: false, type: { kind: 'string' } }] } } })
  })

  test('reach what the plugin declares or the program names, and nothing else', async () => {
    await expect(odd('elsewhere')).rejects.toMatchObject({ name: 'ModelFailure', code: 'bad-request', message: expect.stringContaining('evil.example:443') })
    const refuse = contextOf({ fetch: async () => { throw Object.assign(new Error('not its own'), { name: 'ModelFailure', code: 'bad-request', retryAfterMs: null, details: null }) } })
    await expect((await odd('reach')).ask(asked(), refuse)).rejects.toMatchObject({ code: 'bad-request', message: 'not its own' })
  })

  test('that do what no model may are failures, and the next question is answered', async () => {
    for (const [does, code] of [['throw', 'server'], ['wrong', 'bad-answer'], ['sleep', 'bad-answer'], ['huge', 'bad-answer']] as const) {
      await expect((await odd(does)).ask(asked(), contextOf()), does).rejects.toMatchObject({ name: 'ModelFailure', code })
    }
    await expect(odd('not-open')).rejects.toMatchObject({ code: 'unknown-model', message: 'There is no such model.' })
    expect((await (await odd('well')).ask(asked(), contextOf())).content).toEqual([{ kind: 'text', text: 'xxxx' }])
  })

  test('have a bounded number of answers open at once', async () => {
    const never = contextOf({ fetch: async () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })) })
    await expect((await odd('many', 'http://127.0.0.1:9/')).ask(asked(), never)).rejects.toMatchObject({ code: 'bad-request', message: expect.stringContaining('More than 4 answers') })
  })

  test('that are not there are none', async () => {
    expect(await project.plugins.modelProvider('lines.nothing', [...modules.values()], project.folder)).toBeNull()
    expect(await project.plugins.modelProvider('other.talk', [...modules.values()], project.folder)).toBeNull()
  })
})
