import { describe, expect, test } from 'vitest'
import { Fifo } from '#base/fifo.ts'

describe('a fifo', () => {
  test('gives what was added, in that order, however adding and taking are mixed', () => {
    const fifo = new Fifo<number>()
    const list: number[] = []
    let next = 0
    for (let turn = 0; turn < 400; turn++) {
      for (let i = (turn * 7) % 23; i > 0; i--) {
        fifo.push(next)
        list.push(next++)
      }
      for (let i = (turn * 11) % 29; i > 0; i--) expect(fifo.take()).toBe(list.shift())
      expect(fifo.size).toBe(list.length)
    }
    expect(fifo.takeAll()).toEqual(list)
    expect([fifo.size, fifo.take(), fifo.takeAll()]).toEqual([0, undefined, []])
  })

  test('keeps its order while thousands wait', () => {
    const fifo = new Fifo<number>()
    for (let i = 0; i < 10_000; i++) fifo.push(i)
    for (let i = 0; i < 6_000; i++) expect(fifo.take()).toBe(i)
    for (let i = 10_000; i < 12_000; i++) fifo.push(i)
    for (let i = 6_000; i < 12_000; i++) expect(fifo.take()).toBe(i)
    expect(fifo.take()).toBeUndefined()
  })

  test('holds nothing after it was cleared', () => {
    const fifo = new Fifo<string>()
    for (const each of ['a', 'b', 'c']) fifo.push(each)
    expect(fifo.take()).toBe('a')
    fifo.clear()
    fifo.push('d')
    expect(fifo.takeAll()).toEqual(['d'])
  })
})
