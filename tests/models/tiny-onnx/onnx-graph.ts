// ONNX graph: a model as the bytes of a `.onnx` file.
// Owns: the part of the format that the tests need (int64 and float tensors, plain nodes, no subgraphs). Does not own: what a graph computes (tiny-chat.ts).
//   Source: onnx.proto3 of ONNX, IR version 8; Protocol Buffers encoding (https://protobuf.dev/programming-guides/encoding).

export type Shape = readonly (number | string)[]
export interface GraphValue { readonly name: string; readonly type: 'float' | 'int64'; readonly shape: Shape }
export interface GraphConstant { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array | BigInt64Array }
export interface GraphNode { readonly op: string; readonly inputs: readonly string[]; readonly outputs: readonly string[]; readonly ints?: Readonly<Record<string, number>> }
export interface Graph { readonly inputs: readonly GraphValue[]; readonly outputs: readonly GraphValue[]; readonly constants: readonly GraphConstant[]; readonly nodes: readonly GraphNode[] }

const IR_VERSION = 8
const OPSET = 17
const INT_ATTRIBUTE = 2
const elementTypes = { float: 1, int64: 7 } as const

function varint(value: number | bigint): Buffer {
  const bytes: number[] = []
  let left = BigInt.asUintN(64, BigInt(value))
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(left)])
}

const number = (field: number, value: number): Buffer => Buffer.concat([varint(field << 3), varint(value)])
const bytes = (field: number, value: Buffer | string): Buffer => {
  const data = Buffer.from(value)
  return Buffer.concat([varint((field << 3) | 2), varint(data.length), data])
}
const message = (field: number, ...parts: readonly Buffer[]): Buffer => bytes(field, Buffer.concat(parts))

function value(field: number, { name, type, shape }: GraphValue): Buffer {
  const dims = shape.map(each => message(1, typeof each === 'number' ? number(1, each) : bytes(2, each)))
  return message(field, bytes(1, name), message(2, message(1, number(1, elementTypes[type]), message(2, ...dims))))
}

function constant({ name, shape, data }: GraphConstant): Buffer {
  const type = data instanceof Float32Array ? elementTypes.float : elementTypes.int64
  return message(5, ...shape.map(each => number(1, each)), number(2, type), bytes(8, name), bytes(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength)))
}

function node({ op, inputs, outputs, ints = {} }: GraphNode, index: number): Buffer {
  const attributes = Object.entries(ints).map(([name, each]) => message(5, bytes(1, name), number(3, each), number(20, INT_ATTRIBUTE)))
  return message(1, ...inputs.map(each => bytes(1, each)), ...outputs.map(each => bytes(2, each)), bytes(3, `${op}_${index}`), bytes(4, op), ...attributes)
}

/** The bytes of a model with this graph. */
export function onnxBytes({ inputs, outputs, constants, nodes }: Graph): Buffer {
  const graph = message(7, ...nodes.map(node), bytes(2, 'graph'), ...constants.map(constant), ...inputs.map(each => value(11, each)), ...outputs.map(each => value(12, each)))
  return Buffer.concat([number(1, IR_VERSION), bytes(2, 'tests of tek'), graph, message(8, bytes(1, ''), number(2, OPSET))])
}
