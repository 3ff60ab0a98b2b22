// Program: what `tek demo crash` runs, shown to whoever watches.
// Owns: its text. Does not own: running and killing it (ordeal.ts).

/** Requests under way at once. */
export const WIDTH = 16
export const programName = 'crash.tek'

/** The program against a server on this port. */
export function programText(port: number): string {
  return `// Each task has one effect on the world: a request that the server counts.
workflow crash(tasks: int) -> { done: int, sum: int } {
  can net("127.0.0.1:${port}")

  task effect for n in range(tasks) parallel ${WIDTH} = http.postJson("http://127.0.0.1:${port}/effect", { task: n })

  task answers -> int[] = json.parse(json.print(effect))

  return { done: len(answers), sum: sum(answers) }
}
`
}

/** What it gives when nothing was lost, doubled or mistaken. */
export const expectedResult = (tasks: number): { done: number; sum: number } => ({ done: tasks, sum: (tasks * (tasks - 1)) / 2 })
