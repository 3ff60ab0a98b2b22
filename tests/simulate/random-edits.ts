// Random edits: what a person may change in a program between two runs, drawn from a seed; and which tasks that leaves alone, told from the text alone.
import { random } from '../compiler/random-programs.ts'

/** Lines of a program by workflow: `main`, `_w1`, … */
interface Parts {
  readonly workflows: Map<string, { head: string[]; tasks: string[] }>
}

const nameOf = (line: string): string => /^ {2}task (\w+)/.exec(line)![1]!

function partsOf(text: string): Parts {
  const workflows = new Map<string, { head: string[]; tasks: string[] }>()
  for (const block of text.trim().split('\n\n')) {
    const lines = block.split('\n')
    const key = /^workflow (\w+)/.exec(lines[0]!)![1]!
    workflows.set(key, { head: lines.filter(each => !/^ {2}(task|return)|^}/.test(each)), tasks: lines.filter(each => each.startsWith('  task ')) })
  }
  return { workflows }
}

function textOf({ workflows }: Parts): string {
  return [...workflows.values()].map(({ head, tasks }) => [...head, ...tasks, `  return [${tasks.map(nameOf).join(', ')}]`, '}'].join('\n')).join('\n\n') + '\n'
}

/** A drawn program in which tasks use each other's values, and workflows give theirs. */
export function withValues(text: string, seed: number): string {
  const next = random(seed)
  const parts = partsOf(text)
  for (const { tasks } of parts.workflows.values()) {
    for (const [index, line] of tasks.entries()) {
      if (index > 0 && next() < 0.4 && line.includes('= 1 + 1')) tasks[index] = line.replace('= 1 + 1', `= len([${nameOf(tasks[Math.floor(next() * index)]!)}]) + len(fs.read("z"))`)
    }
  }
  return textOf(parts)
}

/** The program after one to three changes. */
export function edited(text: string, seed: number): string {
  const next = random(seed)
  const below = (count: number): number => Math.floor(next() * count)
  const parts = partsOf(text)
  const keys = [...parts.workflows.keys()]
  for (let left = 1 + below(3); left > 0; left--) {
    const workflow = parts.workflows.get(keys[below(keys.length)]!)!
    const { tasks, head } = workflow
    const at = below(tasks.length)
    const line = tasks[at]!
    switch (below(9)) {
      case 0: // another expression
        tasks[at] = line.replace(/ = .*/, ` = len(fs.read("n${below(3)}"))`)
        break
      case 1: // a clause more or less
        tasks[at] = line.includes(' retry ') ? line.replace(/ retry \d backoff \d+ms\.\.\d+ms/, '') : line.replace(' = ', ' retry 2 backoff 1ms..2ms = ')
        break
      case 2: // a task more
        tasks.splice(below(tasks.length + 1), 0, `  task new${seed}${left} = len(fs.read("new"))`)
        break
      case 3: // a task less
        if (tasks.length > 1 && !tasks.some(each => each !== line && new RegExp(`\\b${nameOf(line)}\\b`).test(each))) tasks.splice(at, 1)
        break
      case 4: // more authority
        head[1] = '  can fs.read("**"), fs.write("out/**")'
        break
      case 5: // other authority
        head[1] = '  can fs.read("**"), fs.read("../more/**")'
        break
      case 6: // only words
        tasks[at] = line.includes('label') ? line : line.replace(' = ', ' priority high = ')
        break
      case 7: // a longer list
        tasks[at] = line.replace(/ in \[(0[^\]]*)\]/, ' in [$1, 77]')
        break
      default: // a task that waits
        if (at > 0 && !/ after /.test(line) && !/ for /.test(line)) tasks[at] = line.replace(/^( {2}task \w+)/, `$1 after ${nameOf(tasks[at - 1]!)}`)
    }
  }
  return textOf(parts)
}

/** Which tasks of an edited program have nothing changed in what they are made of, by the parts of their paths. Told from texts alone. */
export function untouched(before: string, after: string): { readonly isUntouched: (chain: readonly string[]) => boolean } {
  const [was, is] = [partsOf(before).workflows, partsOf(after).workflows]
  const lineOf = (all: Parts['workflows'], key: string, task: string): string | undefined => all.get(key)?.tasks.find(each => nameOf(each) === task)?.replace(' priority high', '')
  const calleeOf = (line: string): string | undefined => /= (_w\d+)\(\)/.exec(line)?.[1]
  const needs = (line: string): boolean => line.includes('fs.')
  const canOf = (all: Parts['workflows'], key: string): string => (/\.\.\/more/.test(all.get(key)?.head[1] ?? '') ? 'more' : 'own')
  const depends = (key: string, line: string): string[] => (is.get(key)?.tasks ?? []).map(nameOf).filter(each => each !== nameOf(line) && new RegExp(`\\b${each}\\b`).test(line))
  const isEdited = (key: string, task: string): boolean => lineOf(was, key, task) !== lineOf(is, key, task)
  const mayDiffer = (key: string, task: string, callers: readonly string[]): boolean => {
    const line = lineOf(is, key, task)!
    if (!isSound(key, task, callers)) return true
    const callee = calleeOf(line)
    if (callee === undefined) return false
    const names = (all: Parts['workflows']): string => all.get(callee)!.tasks.map(nameOf).join()
    return names(was) !== names(is) || is.get(callee)!.tasks.some(each => mayDiffer(callee, nameOf(each), [...callers, callee]))
  }
  const isSound = (key: string, task: string, callers: readonly string[]): boolean => {
    const line = lineOf(is, key, task)
    if (line === undefined || isEdited(key, task)) return false
    if (needs(line) && callers.some(each => canOf(was, each) !== canOf(is, each))) return false
    return depends(key, line).every(each => !mayDiffer(key, each, callers))
  }
  return {
    isUntouched(chain) {
      let key = 'main'
      const callers = ['main']
      for (const [at, part] of chain.entries()) {
        const task = part.replace(/[[#].*/, '')
        if (!isSound(key, task, callers) || (part.includes('#') && mayDiffer(key, task, callers))) return false // another first attempt leads to another second
        const callee = calleeOf(lineOf(is, key, task)!)
        if (callee === undefined) return true
        if (at === chain.length - 1) return !mayDiffer(key, task, callers) // what it asks itself is its `ensure`, of what the workflow came to
        key = callee
        callers.push(callee)
      }
      return true
    },
  }
}
