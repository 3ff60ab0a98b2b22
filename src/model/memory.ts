// Memory: what an agent keeps of a conversation, in a run or in a thread.
// Owns: the shapes that engine, journal and commands share. Does not own: how much of it is shown to a model (engine/memory.ts), where it is kept (journal).
//   M1. Plain texts, not a provider's blocks: another model, with other tools, can read them.
//   M2. No stand-in of a secret is in a thread, and no value of one.

/** One conversation, or several in a few words. */
export interface Remembered {
  /** What the agent was asked; null: these are earlier conversations in a few words, and `answer` has them. */
  readonly prompt: string | null
  /** What its tools were asked and gave, in lines; empty: nothing, or it was left out. */
  readonly between: string
  readonly answer: string
  /** It holds text from outside. */
  readonly isUntrusted: boolean
}

/** The same with its place in a thread: later ones have higher numbers. */
export interface ThreadEntry extends Remembered {
  readonly seq: number
}

/** What is to be added to a thread. */
export interface KeptEntry {
  readonly thread: string
  /** Run, task and attempt, and what of it: added twice, it is there once. */
  readonly key: string
  readonly atMs: number
  readonly entry: Remembered
  /** Of a summary: it takes the place of all up to this number; where that number is gone already, it is dropped. */
  readonly covers?: number
}

/** A thread as lists show it. */
export interface ThreadShown {
  readonly name: string
  readonly entries: number
  readonly isUntrusted: boolean
  readonly firstMs: number
  readonly lastMs: number
}

/** A thread as a person reads it. */
export interface ThreadRead {
  readonly name: string
  readonly entries: readonly (ThreadEntry & { readonly atMs: number; /** Run, task and attempt it is from. */ readonly from: string })[]
}

/** Letters of a thread's name. */
export const MAX_THREAD_NAME_LENGTH = 200
/** Conversations in one thread; the oldest go first. */
export const MAX_THREAD_ENTRIES = 1_000
/** Threads that a list names. */
export const MAX_LISTED_THREADS = 1_000
