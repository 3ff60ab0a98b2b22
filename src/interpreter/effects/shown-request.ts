// Shown request: a question as its model is shown it, without the secrets of the run.
// Owns: that nothing is searched twice. Does not own: what a secret looks like (secrets/redactor.ts), who asks (ask-model.ts).
//   S1. Messages and tools never change, and come again with every turn: what was searched is not searched again.
//   S2. A value that becomes known later is looked for in everything that was said before: nothing of what was found until then counts any more.
import type { ChatRequest } from '#model/chat.ts'
import type { Value } from '#model/type.ts'
import { mapTexts } from '#interpreter/secrets/stand-in.ts'
import { noSecrets, type SecretVault } from '#interpreter/secrets/vault.ts'

type Request = Omit<ChatRequest, 'model'>

interface Shown {
  readonly known: number
  readonly parts: WeakMap<object, unknown>
}

const before = new WeakMap<SecretVault, Shown>()

/** The same question; parts that were shown before are the very same objects again. */
export function shownRequest(request: Request, secrets: SecretVault): Request {
  if (secrets === noSecrets) return request
  const redact = (text: string): string => secrets.redactText(text)
  const { parts } = shownBy(secrets)
  const shown = <Part extends object>(part: Part): Part => { // S1
    let found = parts.get(part) as Part | undefined
    if (found === undefined) parts.set(part, (found = withoutSecrets(part, redact)))
    return found
  }
  const { messages, tools, ...rest } = request
  return { ...withoutSecrets(rest, redact), messages: messages.map(shown), tools: shown(tools) }
}

/** S2. */
function shownBy(secrets: SecretVault): Shown {
  let shown = before.get(secrets)
  if (shown === undefined || shown.known !== secrets.known) before.set(secrets, (shown = { known: secrets.known, parts: new WeakMap() }))
  return shown
}

/** The same data with every text in it changed. */
export function withoutSecrets<Data>(data: Data, redact: (text: string) => string): Data {
  return mapTexts(data as unknown as Value, redact) as unknown as Data
}
