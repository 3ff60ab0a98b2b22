// Visit: the nodes within a node, for phases and editors that look at every node alike.
// Owns: which fields hold nodes. Does not own: what a visitor does with them.
//   W1. Children come in the order of their places in the text.
//   W2. Walking holds its own stack, so depth is bounded by memory only.
import type { AstNode, Module } from './ast.ts'

function isNode(value: unknown): value is AstNode {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof (value as { start?: unknown }).start === 'number'
}

/**
 * The nodes directly within a node, in the order of the text (W1).
 *
 * @example
 * children(binary) // [left, right]
 */
export function children(node: AstNode): AstNode[] {
  const found: AstNode[] = []
  gather(node, found)
  return found.sort((a, b) => a.start - b.start)
}

/** Collects nodes from the fields of a node; plain objects in between (`what`, `action`, `backoff`) are looked into. */
function gather(holder: object, found: AstNode[]): void {
  for (const value of Object.values(holder)) {
    if (typeof value !== 'object' || value === null) continue
    if (isNode(value)) found.push(value)
    else gather(value, found)
  }
}

/** Called for each node before its children; `false` leaves the children out. */
export type Visitor = (node: AstNode, parents: readonly AstNode[]) => boolean | void

/**
 * Visits a node and all within it, parents first, in the order of the text.
 *
 * @example
 * walk(declaration, node => { if (node.kind === 'call') calls.push(node) })
 */
export function walk(root: AstNode, visitor: Visitor): void {
  const parents: AstNode[] = []
  const stack: { node: AstNode; depth: number }[] = [{ node: root, depth: 0 }]
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, depth } = top
    parents.length = depth
    if (visitor(node, parents) === false) continue
    parents.push(node)
    for (const child of children(node).reverse()) stack.push({ node: child, depth: depth + 1 })
  }
}

/** Visits every declaration of a module; `offset` is where the spans of the nodes within it count from. */
export function walkModule(module: Module, visitor: (node: AstNode, parents: readonly AstNode[], offset: number) => boolean | void): void {
  for (const { offset, declaration } of module.items) walk(declaration, (node, parents) => visitor(node, parents, offset))
}
