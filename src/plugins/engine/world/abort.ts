// Abort: AbortController and AbortSignal for a world without events.
// Owns: the little of the DOM's abort interface that tools use: https://dom.spec.whatwg.org/#aborting-ongoing-activities

type Listener = (event: { readonly type: 'abort'; readonly target: EngineAbortSignal }) => void

export class EngineAbortSignal {
  aborted = false
  reason: unknown = undefined
  onabort: Listener | null = null
  private readonly listeners = new Set<Listener>()

  addEventListener(type: string, listener: Listener): void {
    if (type === 'abort') this.listeners.add(listener)
  }

  removeEventListener(_type: string, listener: Listener): void {
    this.listeners.delete(listener)
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }

  /** Not part of the interface: for the controller. */
  end(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason ?? Object.assign(new Error('This operation was aborted'), { name: 'AbortError' })
    const event = { type: 'abort', target: this } as const
    for (const listener of [this.onabort, ...this.listeners]) listener?.call(this, event)
    this.listeners.clear()
  }
}

export class EngineAbortController {
  readonly signal = new EngineAbortSignal()

  abort(reason?: unknown): void {
    this.signal.end(reason)
  }
}
