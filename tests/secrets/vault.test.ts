// Vault: a secret reaches the tool it is given to, and nothing else that a run keeps or shows; it is read once, by leave of every level.
import { describe, expect, test } from 'vitest'
import type { RunNotice, RunSummary } from '#model/report.ts'
import type { Plan } from '#model/plan.ts'
import { check, plan, run, type Answer } from '#tek.ts'
import { memoryHost, type MemoryHost, type MemoryHostOptions } from '#testing/memory-host.ts'
import { RedactedLog } from '#interpreter/effects/redacted-log.ts'
import { openVault } from '#interpreter/secrets/vault.ts'
import { validatePlan } from '#types/plan-json.ts'

const token = 'canary+value/1%"x'

const echo: NonNullable<MemoryHostOptions['answer']> = request => ({ status: 200, headers: { 'x-echo': request.headers['authorization'] ?? '' }, body: JSON.stringify(request.headers), url: request.url })

interface Ran {
  readonly answer: Answer<RunSummary>
  readonly notices: readonly RunNotice[]
  readonly host: MemoryHost
}

async function ran(text: string, options: MemoryHostOptions = {}, permit?: readonly { readonly name: string; readonly args: readonly string[] }[]): Promise<Ran> {
  const host = memoryHost({ env: { TOKEN: token, HOME: '/home/me' }, answer: echo, ...options, files: { 'main.tek': text, ...options.files } })
  const notices: RunNotice[] = []
  const made = await lowered(host)
  const answer = await run(host, {
    plan: made, program: 'main.tek', args: {}, database: null, tekVersion: '0', onNotice: notice => void notices.push(notice), ...(permit === undefined ? {} : { permit: { grants: permit, by: 'flag' as const } }),
  })
  return { answer, notices, host }
}

async function lowered(host: MemoryHost): Promise<Plan> {
  const checked = await check(host, 'main.tek')
  expect(checked.diagnostics.filter(each => each.severity === 'error').map(each => each.message)).toEqual([])
  return plan(checked)
}

const outcomeOf = ({ answer }: Ran): unknown => (answer.kind === 'refused' ? answer.diagnostics.map(each => each.code) : answer.value.outcome)

const program = (source: string, grant: string, rest = 'bearer: token'): string => [
  `secret token = ${source}`, '', 'workflow main() -> untrusted string {', `  can net("a.example:443"), ${grant}`, `  task answer = http.get("https://a.example/", ${rest})`, '  return answer.body', '}', '',
].join('\n')

describe('a secret reaches the tool it is given to', () => {
  test('by itself, within a text, a record and a list, and by way of a let', async () => {
    for (const rest of ['bearer: token', 'headers: { authorization: "Bearer ${token}" }', 'headers: { ...{ authorization: "Bearer ${token}" }, accept: "*/*" }']) {
      const { host, ...result } = await ran(program('env("TOKEN")', 'env("TOKEN")', rest))
      expect(host.requests.map(each => each.headers['authorization'])).toEqual([`Bearer ${token}`])
      expect(outcomeOf({ host, ...result })).toMatchObject({ kind: 'value', value: expect.stringContaining('[secret token]') as string })
      expect(JSON.stringify([result.answer, result.notices])).not.toContain(token)
    }
    const text = program('env("TOKEN")', 'env("TOKEN")', 'bearer: key').replace('  task answer', '  let key = "k-${token}"\n  task answer')
    expect((await ran(text)).host.requests[0]!.headers['authorization']).toBe(`Bearer k-${token}`)
  })

  test('from a file at home, without its line end', async () => {
    const { host } = await ran(program('file("~/.config/x/token")', 'fs.read("~/.config/x/token")'), { files: { '/home/me/.config/x/token': `${token}\n` } })
    expect(host.requests[0]!.headers['authorization']).toBe(`Bearer ${token}`)
  })

  test('from a helper program, asked once, with the person\'s own session and not in the project', async () => {
    const text = program('command("pass", "show", "x")', 'exec("pass", "show", "x")').replace('  return', '  task second = http.get("https://a.example/2", bearer: token)\n  return')
    const { host } = await ran(text, { env: { HOME: '/home/me', PATH: '/usr/bin:/project/node_modules/.bin', GNUPGHOME: '/home/me/.gnupg', OTHER_KEY: 'not for helpers' }, command: () => ({ stdout: `${token}\n` }) })
    expect(host.requests.map(each => each.headers['authorization'])).toEqual([`Bearer ${token}`, `Bearer ${token}`])
    expect(host.commands).toHaveLength(1)
    expect(host.commands[0]).toMatchObject({ program: 'pass', args: ['show', 'x'], cwd: '/home/me', env: { PATH: '/usr/bin', HOME: '/home/me', GNUPGHOME: '/home/me/.gnupg' } })
    expect(host.commands[0]!.env).not.toHaveProperty('OTHER_KEY')
  })
})

describe('a secret that is missing ends the run before it did anything', () => {
  const cases: readonly (readonly [string, string, MemoryHostOptions, string])[] = [
    ['env("NOT_THERE")', 'env("NOT_THERE")', {}, 'secret/not-set'],
    ['env("TOKEN")', 'env("TOKEN")', { env: { TOKEN: '' } }, 'secret/not-set'],
    ['env("TOKEN")', 'env("TOKEN")', { env: { TOKEN: '12345' } }, 'secret/too-short'],
    ['file("token.txt")', 'fs.read("token.txt")', {}, 'secret/not-set'],
    ['command("pass")', 'exec("pass")', {}, 'secret/not-set'],
    ['command("pass")', 'exec("pass")', { command: () => ({ exitCode: 1, stderr: `wrong password ${token}` }) }, 'secret/not-set'],
    ['command("pass")', 'exec("pass")', { command: () => ({ stdout: token, timedOut: true }) }, 'secret/not-set'],
    ['command("pass")', 'exec("pass")', { command: () => ({ stdout: token, truncated: true }) }, 'secret/not-set'],
  ]
  for (const [source, grant, options, code] of cases) {
    test(`${source} ${JSON.stringify(options.env ?? Object.keys(options))} → ${code}`, async () => {
      const result = await ran(program(source, grant), options)
      expect(outcomeOf(result)).toEqual([code])
      expect(result.host.requests).toEqual([])
      expect(JSON.stringify(result.answer)).not.toContain(token)
    })
  }
  test('but one that the chosen workflow does not mention is not asked for', async () => {
    const text = `secret other = command("pass")\n${program('env("TOKEN")', 'env("TOKEN")')}`
    const { host, ...rest } = await ran(text)
    expect(outcomeOf({ host, ...rest })).toMatchObject({ kind: 'value' })
    expect(host.commands).toEqual([])
  })
})

describe('by leave of every level', () => {
  const net = { name: 'net', args: ['a.example:443'] }
  test('a permit without the grant of its source: it is neither read nor given', async () => {
    const result = await ran(program('command("pass")', 'exec("pass")'), { command: () => ({ stdout: token }) }, [net])
    expect(outcomeOf(result)).toMatchObject({ kind: 'failure', failure: { code: 'permit/denied' } })
    expect(result.host.commands).toEqual([])
    expect(result.host.requests).toEqual([])
    expect(outcomeOf(await ran(program('env("TOKEN")', 'env("TOKEN")'), {}, [net]))).toMatchObject({ failure: { code: 'permit/denied' } })
  })
  test('a permit with it', async () => {
    expect(outcomeOf(await ran(program('env("TOKEN")', 'env("TOKEN")'), {}, [net, { name: 'env', args: ['TOKEN'] }]))).toMatchObject({ kind: 'value' })
  })
  test('a wildcard of the project does not reach a file at home', async () => {
    const host = memoryHost({ env: { HOME: '/home/me' }, answer: echo, files: { 'main.tek': program('file("~/x")', 'fs.read("~/x")'), '/home/me/x': token } })
    const made = await lowered(host)
    const wider = JSON.parse(JSON.stringify(made).replaceAll('{"op":"value","value":"~/x"}', '{"op":"value","value":"**"}')) as Plan // as a plan written by hand might say
    const answer = await run(host, { plan: wider, program: 'x', args: {}, database: null, tekVersion: '0', onNotice: () => {} })
    expect(answer).toMatchObject({ value: { outcome: { failure: { code: 'permit/denied' } } } })
  })
})

describe('what comes back', () => {
  test('from programs: both outputs, failures, what was cut off', async () => {
    const text = [
      'secret token = env("TOKEN")', '', 'workflow main() -> untrusted string {', '  can exec("show", "**"), env("TOKEN")', '  task done = shell.run("show", "x")',
      '  task failed on failure use error.message = shell.must("show", "y")', '  return "${done.stdout} ${done.stderr} ${failed}"', '}', '',
    ].join('\n')
    const command: NonNullable<MemoryHostOptions['command']> = ({ args }) => ({ stdout: `a ${token} b`, stderr: `${Buffer.from(token).toString('base64')}\ncut ${token.slice(0, 9)}`, exitCode: args[0] === 'y' ? 3 : 0, truncated: true })
    const result = await ran(text, { command })
    const shown = JSON.stringify(outcomeOf(result))
    expect(shown.match(/\[secret token\]/g)!.length).toBeGreaterThanOrEqual(5)
    expect(shown).not.toContain(token.slice(0, 9))
    expect(shown).not.toContain(Buffer.from(token).toString('base64').slice(0, 10))
  })
  test('a value that only looks like a stand-in of the run stays text', async () => {
    const text = program('env("TOKEN")', 'env("TOKEN")', 'bearer: "⟦secret token 00000000000000000000000000000000⟧"').replace('  return', '  task real = http.get("https://a.example/2", bearer: token)\n  return')
    const { host } = await ran(text)
    expect(host.requests.map(each => each.headers['authorization']).sort()).toEqual([`Bearer ${token}`, 'Bearer ⟦secret token 00000000000000000000000000000000⟧'].sort())
  })
})

test('a plan lists its secrets by where they come from, and is checked for it', async () => {
  const host = memoryHost({ files: { 'main.tek': program('env("TOKEN")', 'env("TOKEN")') } })
  const made = await lowered(host)
  expect(made.secrets).toEqual([{ name: 'token', source: { kind: 'env', name: 'TOKEN' } }])
  expect(validatePlan(JSON.parse(JSON.stringify(made))).problem).toBe(null)
  const damaged = (change: (plan: Record<string, unknown>) => void): unknown => {
    const copy = JSON.parse(JSON.stringify(made)) as Record<string, unknown>
    change(copy)
    return validatePlan(copy).problem
  }
  expect(damaged(copy => delete copy['secrets'])).toMatchObject({ kind: 'damaged', problem: expect.stringContaining('names no secret') as string })
  for (const source of [null, { kind: 'env' }, { kind: 'file' }, { kind: 'command', program: 'x', args: [1] }, { kind: 'vault' }]) {
    expect(damaged(copy => (copy['secrets'] = [{ name: 'token', source }]))).toMatchObject({ kind: 'damaged', problem: expect.stringContaining('secrets[0]') as string })
  }
})

describe('the checker wants the grant of a secret\'s source', () => {
  const codes = async (grant: string, source: string, top = ''): Promise<string[]> => {
    const text = `${top}secret token = ${source}\n\nworkflow main() -> untrusted string {\n  can net("a.example:443")${grant}\n  task answer = http.get("https://a.example/", bearer: token)\n  return answer.body\n}\n`
    return (await check(memoryHost({ files: { 'main.tek': text } }), 'main.tek')).diagnostics.map(each => each.code)
  }
  test('in the workflow and in the file', async () => {
    expect(await codes('', 'env("TOKEN")')).toEqual(['capability/not-granted'])
    expect(await codes(', env("OTHER")', 'env("TOKEN")')).toEqual(['capability/outside'])
    expect(await codes(', env("TOKEN")', 'env("TOKEN")')).toEqual([])
    expect(await codes(', env("TOKEN")', 'env("TOKEN")', 'can net("a.example:443")\n\n')).toContain('capability/not-granted')
    expect(await codes(', fs.read("~/.config/x")', 'file("~/.config/x")')).toEqual([])
    expect(await codes(', fs.read("**")', 'file("~/.config/x")')).toEqual(['capability/outside'])
    expect(await codes(', fs.read("keys/**")', 'file("keys/x")')).toEqual([])
    expect(await codes(', exec("pass", "show", "**")', 'command("pass", "show", "a b")')).toEqual([])
    expect(await codes(', exec("pass", "ls")', 'command("pass", "show", "x")')).toEqual(['capability/outside'])
  })
  test('and offers it', async () => {
    const text = program('env("TOKEN")', 'env("TOKEN")').replace(', env("TOKEN")', '')
    const { diagnostics } = await check(memoryHost({ files: { 'main.tek': text } }), 'main.tek')
    expect(diagnostics[0]!.fixes[0]).toMatchObject({ safe: true, edits: [{ newText: ', env("TOKEN")' }] })
  })
})

test('a secret said in two lines of a log, and lines that only look like the beginning of one', async () => {
  const host = memoryHost({ env: { TOKEN: 'abcdefghij0123456789' }, files: { 'main.tek': program('env("TOKEN")', 'env("TOKEN")') } })
  const { vault } = await openVault({ host, cwd: host.cwd, plan: await lowered(host), workflow: 'main', seed: '00', permit: null, kindsOf: undefined })
  const said = (...lines: readonly string[]): string[] => {
    const shown: string[] = []
    const log = new RedactedLog(vault, line => void shown.push(line))
    for (const line of lines) log.say(line)
    log.end()
    return shown
  }
  expect(said('one', 'two', '')).toEqual(['one', 'two', ''])
  expect(said('the key: abcdefgh', 'ij0123456789, that was it')).toEqual(['the key: [secret token], that was it'])
  expect(said('the key: abcdef', 'ghij0123', '456789', 'end')).toEqual(['the key: [secret token]', 'end'])
  expect(said('abcdef', 'something else', 'abcdefghij0123456789')).toEqual(['abcdef', 'something else', '[secret token]'])
  expect(vault.redactCut('cut abcdefghij')).toBe('cut [secret token]')
})
