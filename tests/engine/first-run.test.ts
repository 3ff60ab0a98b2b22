// A first run through the whole interpreter: for, sub-workflow, tool call, memory journal.
import { expect, test } from 'vitest'
import { call, list, local, node, param, plan, prelude, sub, task, value, workflow } from './plan-builder.ts'
import { runPlan } from './run-plan.ts'

const program = plan({
  main: workflow(
    [
      task('files', call('list', { root: param('root') }, { effect: 'read' })),
      task('scan', call('scan', { file: local('file') }), { dependsOn: [0], forEach: { item: 'file', list: node(0), width: value(2) } }),
      task('sum', sub('total', { counts: node(1) }), { dependsOn: [1] }),
    ],
    { op: 'record', entries: [{ key: 'scan', value: node(1) }, { key: 'sum', value: node(2) }] },
    { params: [{ name: 'root', type: { kind: 'string' }, default: value('src') }] },
  ),
  total: workflow([task('add', prelude('sum', param('counts')))], node(0), { params: [{ name: 'counts', type: { kind: 'list', item: { kind: 'int' } }, default: null }] }),
})

test('for, sub-workflow and tool calls give the result', async () => {
  const keys = new Set<string>()
  let most = 0
  let now = 0
  const { value: result, notices } = await runPlan(program, {
    tools: {
      list: ({ root }) => [`${root}/a`, `${root}/bb`, `${root}/ccc`],
      scan: async ({ file }, context) => {
        keys.add(context.idempotencyKey)
        most = Math.max(most, ++now)
        await new Promise(setImmediate)
        now--
        return String(file).length
      },
    },
  })
  expect(result).toEqual({ scan: [5, 6, 7], sum: 18 })
  expect(keys.size).toBe(3)
  expect(most).toBe(2)
  const paths = notices.flatMap(each => (each.kind === 'task' && each.status === 'done' ? [each.path] : []))
  expect(paths).toEqual(['files', 'scan[0]', 'scan[1]', 'scan[2]', 'scan', 'sum/add', 'sum'])
  const last = notices.at(-1)!
  expect(last.kind === 'run-finished' && last.summary.tasks).toMatchObject({ total: 5, done: 5, running: 0 })
})

test('a list as it stands', async () => {
  expect((await runPlan(plan({ main: workflow([task('a', list(value(1), value(2)))], node(0)) }))).value).toEqual([1, 2])
})

test('a width beyond what the machine would get by itself is granted', async () => {
  let now = 0
  let most = 0
  const wait = async () => {
    most = Math.max(most, ++now)
    await new Promise(resolve => setTimeout(resolve, 20))
    return now--
  }
  await runPlan(plan({ main: workflow([task('f', call('wait'), { forEach: { item: 'x', list: value([...Array(200).keys()]), width: value(100) } })], node(0)) }), { tools: { wait } })
  expect(most).toBe(100)
})
