import { readdirSync, existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { callPure } from './call.ts'
const mods: Record<string, any> = {}
for (const name of readdirSync('stdlib')) if (existsSync(`stdlib/${name}/plugin.ts`)) mods[name] = (await import(`../../stdlib/${name}/plugin.ts`)).default
const env: Record<string, any> = {}
for (const [n, p] of Object.entries(mods)) env[n] = new Proxy({}, { get: (_, fn: string) => p.constants?.[fn] ? p.constants[fn].value : (...a: unknown[]) => callPure(p, fn, ...a) })
Object.assign(env, {  map: (x: any[], f: any) => x.map(f), sort: (x: any[]) => [...x].sort(), len: (x: any) => x.length, r: (s: TemplateStringsArray) => s.raw[0] })
const js = (e: string): any => {
  const pipe = / \|> map\((.*)\)$/.exec(e.trim()); if (pipe) e = `map(${e.trim().slice(0, pipe.index)}, ${pipe[1]})`
  e = e.replace('65m', '3900000').replace(/\br"([^"]*)"/g, (_, s) => JSON.stringify(s))
  return new Function(...Object.keys(env), `return (${e})`)(...Object.values(env))
}
for (const [name, plugin] of Object.entries(mods)) for (const [fn, tool] of Object.entries<any>(plugin.tools ?? {})) {
  test(`${name}.${fn}`, () => {
    expect(tool.doc.length).toBeGreaterThan(5)
    for (const [p, s] of Object.entries<any>(tool.input)) expect(s.description ?? s.meta()?.description, `${name}.${fn} ${p}`).toBeTruthy()
    if (tool.effect !== 'pure') return
    expect(tool.example, 'example').toBeTruthy()
    const at = tool.example.lastIndexOf(' == ')
    expect(js(tool.example.slice(0, at))).toEqual(js(tool.example.slice(at + 4)))
  })
}
