// Generate: the programs that are measured, for tek and in the same shape for its peers.
// Owns: their text. Every generator is deterministic.

/** Layers of tasks, each layer after the whole layer before. Used by every contestant of S1 to S4. In tek one task of a layer is the `for` itself. */
export function layersOf(tasks, width) {
  const layers = Math.max(1, Math.round(tasks / width))
  return { layers, width: Math.round(tasks / layers) }
}

export function layeredTek(tasks, width) {
  const shape = layersOf(tasks, width)
  const lines = ['workflow layered() -> int {']
  for (let layer = 0; layer < shape.layers; layer++) {
    lines.push(`  task layer${layer} for i in ${layer === 0 ? `range(${shape.width - 1})` : `layer${layer - 1}`} = i + 1`)
  }
  return [...lines, `  return len(layer${shape.layers - 1})`, '}', ''].join('\n')
}

/** One task after the other, each a pure expression. */
export function chainTek(length) {
  const lines = ['workflow chain() -> int {', '  task t0 = 1']
  for (let index = 1; index < length; index++) lines.push(`  task t${index} = t${index - 1} + 1`)
  return [...lines, `  return t${length - 1}`, '}', ''].join('\n')
}

/** One call after the other, each in a worker thread: `text.grep` is a tool that runs there. */
export function hopsTek(length) {
  const lines = ['workflow hops() -> int {', '  can fs.read("*.none")', '  task t0 = len(text.grep([], "x"))']
  for (let index = 1; index < length; index++) lines.push(`  task t${index} after t${index - 1} = len(text.grep([], "x"))`)
  return [...lines, `  return t${length - 1}`, '}', ''].join('\n')
}

/** `tasks` independent tasks that keep a processor busy for about the time of `rounds` additions. */
export function busyTek(tasks, rounds) {
  return `workflow busy() -> int {\n  task crunch for i in range(${tasks}) = sum([mod(x * 7919 + i, 104729) for x in range(${rounds})])\n  return len(crunch)\n}\n`
}

const PRODUCT_FIELDS = ['id: int', 'name: string', 'price: float', 'tags: string[]', 'size?: "s" | "m" | "l"']

/** A file of `count` declarations: types, constants and workflows that name each other. About 245 bytes each. */
export function declarationsTek(count, mistakes = 0) {
  const every = mistakes === 0 ? Infinity : Math.floor(count / mistakes)
  const parts = []
  for (let index = 0; index < count; index++) {
    const wrong = index % every === every - 1
    const block = index - (index % 4)
    if (index % 4 === 0) {
      parts.push(`/// Products of shelf ${index}, as they come from the list of suppliers.\ntype Product${index} = {\n${PRODUCT_FIELDS.map(field => `  ${field},`).join('\n')}\n}\n`)
    } else if (index % 4 === 1) {
      parts.push(`/// How many of them are kept at hand.\nconst limit${index}: int = ${wrong ? '"ten"' : index + 10}\n`)
    } else {
      const limit = wrong ? `limitt${block + 1}x` : `limit${block + 1}`
      parts.push([
        `/// Chooses products of shelf ${block} that are cheap enough.`,
        `workflow choose${index}(items: Product${block}[], most: float = 9.5) -> string[] {`,
        `  task cheap = items |> filter(p => p.price <= most) |> take(${limit})`,
        '  task names for p in cheap = "${p.id}: ${upper(p.name)}"',
        '  return sort(names)',
        '}', '',
      ].join('\n'))
    }
  }
  return parts.join('\n')
}

/** The same amount and kind of declarations in TypeSpec: models with fields, constants, operations that name them. */
export function declarationsTypeSpec(count) {
  const parts = []
  for (let index = 0; index < count; index++) {
    const block = index - (index % 4)
    if (index % 4 === 0) {
      parts.push(`/** Products of shelf ${index}, as they come from the list of suppliers. */\nmodel Product${index} {\n  id: int32;\n  name: string;\n  price: float64;\n  tags: string[];\n  size?: "s" | "m" | "l";\n}\n`)
    } else if (index % 4 === 1) {
      parts.push(`/** How many of them are kept at hand. */\nconst limit${index} = ${index + 10};\n`)
    } else {
      parts.push(`/** Chooses products of shelf ${block} that are cheap enough. */\nop choose${index}(items: Product${block}[], most: float64 = 9.5): string[];\n`)
    }
  }
  return parts.join('\n')
}

/** The same graph for ninja, of phony targets: it walks them and starts nothing. */
export function layeredNinja(tasks, width) {
  const shape = layersOf(tasks, width)
  const lines = []
  for (let layer = 0; layer < shape.layers; layer++) {
    const names = Array.from({ length: shape.width }, (_, index) => `t${layer}_${index}`)
    for (const name of names) lines.push(`build ${name}: phony${layer === 0 ? '' : ` || layer${layer - 1}`}`)
    lines.push(`build layer${layer}: phony ${names.join(' ')}`)
  }
  return [...lines, `default layer${shape.layers - 1}`, ''].join('\n')
}

/** `tasks` commands that keep a processor busy, for make. */
export function busyMake(tasks, command) {
  const names = Array.from({ length: tasks }, (_, index) => `t${index}`)
  return `.PHONY: all ${names.join(' ')}\nall: ${names.join(' ')}\n${names.join(' ')}:\n\t@${command}\n`
}

/** The same for make, of targets with empty recipes: it walks them and starts nothing. */
export function layeredMake(tasks, width) {
  const shape = layersOf(tasks, width)
  const lines = ['.SUFFIXES:', 'MAKEFLAGS += -rR', `all: layer${shape.layers - 1}`]
  for (let layer = 0; layer < shape.layers; layer++) {
    const names = Array.from({ length: shape.width }, (_, index) => `t${layer}_${index}`)
    lines.push(`layer${layer}: ${names.join(' ')}`)
    if (layer > 0) lines.push(`${names.join(' ')}: layer${layer - 1}`)
    lines.push(`${names.join(' ')}: ;`)
  }
  return [...lines, ''].join('\n')
}

/** A small random generator (mulberry32), so that graphs are the same in every run. */
function randomFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** A random graph of tasks with durations: mostly short ones, some long; each needs up to three earlier ones. */
export function randomGraph(count, seed) {
  const random = randomFrom(seed)
  return Array.from({ length: count }, (_, id) => ({
    id,
    ms: random() < 0.15 ? 240 + Math.round(random() * 360) : 15 + Math.round(random() * 75),
    after: id < 4 ? [] : [...new Set(Array.from({ length: Math.floor(random() * 3.5) }, () => Math.floor(Math.max(0, id - 40) + random() * Math.min(40, id))))],
  }))
}

/** The least time in which `places` workers can do a graph: its critical path, or all work shared. */
export function leastMakespanMs(graph, places) {
  const ends = []
  for (const task of graph) ends[task.id] = task.ms + Math.max(0, ...task.after.map(id => ends[id]))
  return Math.max(...ends, graph.reduce((sum, task) => sum + task.ms, 0) / places)
}

export function sleepingTek(graph, places) {
  const lines = ['workflow sleeping() -> int {', `  limits { parallel: ${places} }`]
  for (const task of graph) lines.push(`  task t${task.id}${task.after.length === 0 ? '' : ` after ${task.after.map(id => `t${id}`).join(', ')}`} = time.sleep(${task.ms}ms)`)
  return [...lines, `  return len([${graph.map(task => `t${task.id}`).join(', ')}])`, '}', ''].join('\n')
}

export function sleepingMake(graph) {
  const names = graph.map(task => `t${task.id}`).join(' ')
  return [`.PHONY: all ${names}`, `all: ${names}`, ...graph.map(task => `t${task.id}: ${task.after.map(id => `t${id}`).join(' ')}\n\t@sleep ${(task.ms / 1000).toFixed(3)}`), ''].join('\n')
}
