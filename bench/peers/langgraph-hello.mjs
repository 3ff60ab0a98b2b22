// LangGraph.js: one node that says hello, with checkpoints in memory. For the time from nothing to the answer.
import { Annotation, MemorySaver, StateGraph } from '@langchain/langgraph'

const State = Annotation.Root({ text: Annotation() })
const app = new StateGraph(State).addNode('hello', async () => ({ text: 'hello' })).addEdge('__start__', 'hello').compile({ checkpointer: new MemorySaver() })
console.log((await app.invoke({ text: '' }, { configurable: { thread_id: '1' } })).text)
