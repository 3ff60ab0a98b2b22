// Floor: the least an engine of tasks could do: make an object a task, put it on a list, take it off, count it done. Argument: tasks. Prints JSON.
const tasks = Number(process.argv[2])
const from = performance.now()
const queue = Array.from({ length: tasks }, (_, id) => ({ id, waitsFor: 0, value: 0 }))
let done = 0
for (let task = queue.pop(); task !== undefined; task = queue.pop()) {
  task.value = task.id + 1
  done += task.value > 0 ? 1 : 0
}
console.log(JSON.stringify({ elapsedMs: performance.now() - from, done }))
