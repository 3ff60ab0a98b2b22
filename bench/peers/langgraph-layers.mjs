// LangGraph.js: layers of no-op nodes, each after the whole layer before. Arguments: tasks, width, `memory` to keep checkpoints (in memory). Prints JSON.
// Time is that of `invoke`; building and compiling the graph is not counted.
import { Annotation, MemorySaver, StateGraph } from '@langchain/langgraph'

const [tasks, width] = process.argv.slice(2, 4).map(Number)
const State = Annotation.Root({ done: Annotation({ reducer: (left, right) => left + right, default: () => 0 }) })
const graph = new StateGraph(State)
const layers = Math.max(1, Math.round(tasks / width))
for (let layer = 0; layer < layers; layer++) {
  const names = Array.from({ length: width }, (_, index) => `t${layer}_${index}`)
  for (const name of names) {
    graph.addNode(name, async () => ({ done: 1 }))
    graph.addEdge(layer === 0 ? '__start__' : `layer${layer - 1}`, name)
  }
  graph.addNode(`layer${layer}`, async () => ({}))
  graph.addEdge(names, `layer${layer}`)
}
const compiled = graph.compile(process.argv[4] === 'memory' ? { checkpointer: new MemorySaver() } : {})
const before = process.resourceUsage().maxRSS
const from = performance.now()
const { done } = await compiled.invoke({ done: 0 }, { recursionLimit: 2 * layers + 10, configurable: { thread_id: '1' } })
const elapsedMs = performance.now() - from
if (done !== layers * width) throw new Error(`LangGraph did ${done} of ${layers * width} tasks`)
console.log(JSON.stringify({ elapsedMs, tasks: done, grownBytes: (process.resourceUsage().maxRSS - before) * 1024 }))
