// Letter: a message from one agent to others, as it is read.
// Owns: its shape and words. Does not own: who gets it and when (../messages.ts).

export interface Letter {
  /** Name of the agent. */
  readonly from: string
  /** An agent's name, or a topic: `#races`. */
  readonly to: string
  readonly text: string
  /** The sender's conversation held text from outside. */
  readonly isTainted: boolean
}

export function letterWords({ from, to, text }: Letter): string {
  return `Message from ${from}${to.startsWith('#') ? ` to ${to}` : ''}:\n${text}`
}
