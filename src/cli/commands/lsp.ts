// Lsp: `tek lsp`, the language server that editors start.
// Owns: starting it. Does not own: what it answers (../language-server.ts, editor/).
import { Option } from 'clipanion'
import { TekCommand } from '../command.ts'
import type { ExitCode } from '../exit-codes.ts'
import { languageServerUrl, tekVersion } from '../install-place.ts'
import type * as LanguageServer from '../language-server.ts'

export class LspCommand extends TekCommand {
  static override paths = [['lsp']]
  static override usage = {
    description: 'the language server that editors start',
    details: 'Speaks the Language Server Protocol on standard input and output. docs/editors.md shows how editors are set up.',
    examples: [['as an editor starts it', 'tek lsp']] as [string, string][],
  }
  stdio = Option.Boolean('--stdio', true, { description: 'on standard input and output: the only way, accepted because editors give it' })

  override async execute(): Promise<ExitCode> {
    const { serveEditor } = (await import(languageServerUrl())) as typeof LanguageServer
    const { nodeHost } = await import('#host/node-host.ts')
    serveEditor({ version: tekVersion(), openHost: async cwd => nodeHost({ cwd }) })
    return new Promise<never>(() => {}) // it ends the process itself, at `exit`
  }
}
