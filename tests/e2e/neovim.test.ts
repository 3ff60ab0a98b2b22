// A real Neovim, headless, set up as docs/editors.md says, with `tek lsp` as its language server: it shows a mistake and applies the fix.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { binary } from './binary.ts'

const hasNeovim = spawnSync('nvim', ['--version']).status === 0
const PATIENCE_MS = 120_000

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tek-nvim-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The lines for `init.lua` of the page, with the server of this tree. */
function setUp(): string {
  const page = readFileSync(fileURLToPath(new URL('../../docs/editors.md', import.meta.url)), 'utf8')
  const lines = /```lua\n([\s\S]*?)```/.exec(page)![1]!
  expect(lines).toContain('"npx", "tek"')
  return lines.replace('"npx", "tek"', `${JSON.stringify(process.execPath)}, ${JSON.stringify(binary)}`)
}

/** Waits for conditions, never for a time. */
const script = (path: string): string => `
local function die(what) io.stderr:write(what .. "\\n"); vim.cmd("cquit 1") end
local function until_(what, holds) if not vim.wait(60000, holds, 20) then die("never: " .. what) end end
vim.cmd("edit " .. ${JSON.stringify(path)})
until_("a diagnostic", function() return #vim.diagnostic.get(0) > 0 end)
local found = vim.diagnostic.get(0)[1]
print("DIAGNOSTIC " .. found.code .. " " .. found.lnum .. ":" .. found.col .. " " .. found.message:gsub("\\n", " / "))
local range = { start = { line = found.lnum, character = found.col }, ["end"] = { line = found.end_lnum, character = found.end_col } }
local answer = vim.lsp.buf_request_sync(0, "textDocument/codeAction", { textDocument = vim.lsp.util.make_text_document_params(), range = range, context = { diagnostics = {} } }, 60000)
for _, each in pairs(answer) do vim.lsp.util.apply_workspace_edit(each.result[1].edit, "utf-16") end
until_("no diagnostic", function() return #vim.diagnostic.get(0) == 0 end)
vim.cmd("write")
print("MENDED")
vim.cmd("qall!")
`

describe.skipIf(!hasNeovim)('neovim', () => {
  test('shows what is wrong where it is wrong, and mends it', () => {
    writeFileSync(join(folder, 'flow.tek'), 'workflow main(files: string[]) -> int {\n  task number = lenn(files)\n  return number\n}\n')
    writeFileSync(join(folder, 'init.lua'), setUp())
    writeFileSync(join(folder, 'session.lua'), script(join(folder, 'flow.tek')))
    const ended = spawnSync('nvim', ['--headless', '-u', join(folder, 'init.lua'), '-i', 'NONE', '-c', `luafile ${join(folder, 'session.lua')}`], { cwd: folder, env: { ...process.env, HOME: folder, XDG_STATE_HOME: folder }, encoding: 'utf8', timeout: PATIENCE_MS })
    const shown = ended.stdout + ended.stderr
    expect(ended.status, shown).toBe(0)
    expect(shown).toMatch(/DIAGNOSTIC name\/unknown-\w+ 1:16 .*`lenn`/)
    expect(shown).toContain('MENDED')
    expect(readFileSync(join(folder, 'flow.tek'), 'utf8')).toContain('len(files)')
  }, PATIENCE_MS + 10_000)
})
