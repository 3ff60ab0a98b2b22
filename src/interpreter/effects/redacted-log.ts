// Redacted log: the lines of one call without secrets, also where a secret is said in lines that follow each other.
//   L1. A line that ends in the beginning of a secret waits for the next, or for the end of the call; then both are looked at together.
//   L2. Nothing waits that could not be one: other lines are shown when they are said.
import type { SecretVault } from '#interpreter/secrets/vault.ts'

/** Characters that may wait. */
const MAX_HELD = 20_000

export class RedactedLog {
  private readonly secrets: SecretVault
  private readonly show: (message: string) => void
  private held: string | null = null

  constructor(secrets: SecretVault, show: (message: string) => void) {
    this.secrets = secrets
    this.show = show
  }

  say(message: string): void {
    const { held, secrets } = this
    const joined = (held ?? '') + message
    const isWhole = (): boolean => secrets.redactText(joined) !== secrets.redactText(held ?? '') + secrets.redactText(message)
    const isSplit = held !== null && (secrets.begunAtEnd(joined) > message.length || isWhole())
    if (!isSplit) this.end()
    this.held = isSplit ? joined : message
    if (secrets.begunAtEnd(this.held) === 0 || this.held.length > MAX_HELD) this.end() // L2
  }

  /** The call is over. */
  end(): void {
    if (this.held !== null) this.show(this.secrets.redactText(this.held))
    this.held = null
  }
}
