// Cut: where each declaration of a file begins.
// Owns: the quick scan for declaration heads in column 1. Does not own: tokens (lexer.ts).
//   C1. A cut is never inside a string or comment, and the text of all pieces together is the file.
//   C2. Inside brackets only an unmistakable head cuts, so that one forgotten `}` costs one declaration.
//   C3. `///` lines (with what blanks and comments follow) belong to the declaration after them.
//   C4. When a string or comment is open at the end of the file, the file is scanned once more, now taking an unmistakable head in
//       column 1 for the end of any string or comment: it was the closing mark that was forgotten.
import { HEADS } from './keywords.ts'

const HEAD_WORDS = new Set(HEADS)
/** Words that go on with an expression or declaration when they begin a line. */
const CONTINUATIONS = new Set('then else and or not in if match as leads evolves over plugin mcp risk'.split(' '))
const NAME = '[A-Za-z_][A-Za-z0-9_]*'
const UNMISTAKABLE = new RegExp(
  `(?:workflow[ \\t]+${NAME}[ \\t]*\\(|prompt[ \\t]+${NAME}[ \\t]*\\(|agent[ \\t]+${NAME}[ \\t]*(?:\\{|leads\\b)|loop[ \\t]+${NAME}[ \\t]*(?:\\{|over\\b|evolves\\b)`
  + `|(?:type|const|secret|capability|model)[ \\t]+${NAME}[ \\t]*[=:]|test[ \\t]+"[^"\\n]*"[ \\t]*\\{|use[ \\t]+(?:std\\.|"|(?:plugin|mcp)[ \\t]+")|edition[ \\t]+\\d|accept[ \\t]+risk\\b)`,
  'y',
)
const LINE_WORD = new RegExp(`(${NAME})(?:[ \\t]+(${NAME}|["{]))?`, 'y')
const INTERESTING = /["/(){}[\]\n'`#]/g

interface OpenTemplate {
  readonly block: boolean
  braces: number
}

/** Offsets at which the pieces begin; the first is 0. */
export function cut(text: string): number[] {
  const careful = new Scan(text, false)
  const cuts = careful.run()
  return careful.endedOpen ? new Scan(text, true).run() : cuts
}

class Scan {
  endedOpen = false
  private readonly text: string
  private readonly wary: boolean
  private readonly cuts = [0]
  private at = 0
  private depth = 0
  private docStart = -1
  private readonly templates: OpenTemplate[] = []

  constructor(text: string, wary: boolean) {
    this.text = text
    this.wary = wary
  }

  run(): number[] {
    const { text } = this
    if (text.charCodeAt(0) === 0xfeff) this.at = 1
    this.lineStart(this.at)
    while (this.at < text.length) {
      INTERESTING.lastIndex = this.at
      const found = INTERESTING.test(text)
      const next = found ? INTERESTING.lastIndex - 1 : text.length
      if (this.docStart >= 0 && !isBlank(text, this.at, next)) this.docStart = -1
      this.at = next
      if (!found) break
      this.step(text.charCodeAt(next))
    }
    return this.cuts
  }

  private step(code: number): void {
    const { text, at } = this
    if (code === 10) {
      while (this.templates.length > 0 && this.templates.some(each => !each.block)) this.templates.pop()
      this.at++
      return this.lineStart(this.at)
    }
    if (code === 47) return this.slash()
    this.docStart = -1
    this.at++
    if (code === 34) return this.string(text.startsWith('"""', at), this.isRaw(at))
    if (code === 39 || code === 96) return this.foreignString(code)
    if (code === 35) this.at = this.lineEnd()
    const template = this.templates[this.templates.length - 1]
    if (code === 125 && template?.braces === 0) return this.resume(template.block)
    if (code === 40 || code === 91 || code === 123) this.depth++
    else if (code === 41 || code === 93 || code === 125) this.depth = Math.max(0, this.depth - 1)
    if (template !== undefined && (code === 123 || code === 125)) template.braces += code === 123 ? 1 : -1
  }

  private isRaw(at: number): boolean {
    return this.text[at - 1] === 'r' && !/\w/.test(this.text[at - 2] ?? ' ')
  }

  private lineEnd(): number {
    const line = this.text.indexOf('\n', this.at)
    return line < 0 ? this.text.length : line
  }

  private foreignString(quote: number): void {
    const close = this.text.indexOf(String.fromCharCode(quote), this.at)
    if (close >= 0 && close < this.lineEnd()) this.at = close + 1
  }

  /** A new line begins: cuts when it begins a declaration. */
  private lineStart(start: number): void {
    const { text } = this
    const code = text.charCodeAt(start)
    if (!(code >= 97 && code <= 122) || this.templates.length > 0) return
    LINE_WORD.lastIndex = start
    const [, word = '', next] = LINE_WORD.exec(text) ?? []
    const begins = this.depth > 0 ? isUnmistakable(text, start) : HEAD_WORDS.has(word) || isSuspect(word, next)
    if (!begins) return
    const at = this.docStart >= 0 ? this.docStart : start
    if (at > 0) this.cuts.push(at)
    this.docStart = -1
    this.depth = 0
  }

  private slash(): void {
    const { text, at } = this
    const next = text.charCodeAt(at + 1)
    if (next === 47) {
      const line = text.lastIndexOf('\n', at) + 1
      const doc = text.charCodeAt(at + 2) === 47 && text.charCodeAt(at + 3) !== 47 && isBlank(text, line, at)
      if (doc && this.docStart < 0 && this.depth === 0) this.docStart = line
      this.at = this.lineEnd()
    } else if (next === 42) {
      const close = text.indexOf('*/', at + 2)
      if (close < 0) this.endedOpen = true
      this.at = close < 0 ? text.length : close + 2
      this.backUpTo(at)
    } else {
      this.docStart = -1
      this.at++
    }
  }

  /** Skips a string whose opening quote was just passed. */
  private string(block: boolean, raw: boolean): void {
    if (block && !raw) this.at += 2
    if (raw) {
      const close = this.text.indexOf('"', this.at)
      const line = this.lineEnd()
      this.at = close >= 0 && close < line ? close + 1 : line
    } else this.content(block, false)
  }

  private resume(block: boolean): void {
    this.content(block, true)
  }

  private content(block: boolean, resumed: boolean): void {
    const { text } = this
    const start = this.at
    const close = (end: number): void => {
      if (resumed) this.templates.pop()
      this.at = end
    }
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === 92 && !(block === false && text.charCodeAt(at + 1) === 10)) at++
      else if (code === 10 && !block) return close(at)
      else if (code === 34 && !block) return close(at + 1)
      else if (code === 34 && text.startsWith('"""', at)) {
        close(at + 3)
        return this.backUpTo(start)
      } else if (code === 36 && text.charCodeAt(at + 1) === 123) {
        if (!resumed) this.templates.push({ block, braces: 0 })
        this.at = at + 2
        return this.backUpTo(start)
      }
    }
    if (block) this.endedOpen = true
    close(text.length)
    this.backUpTo(start)
  }

  /** C4: when what was just skipped holds an unmistakable head in column 1, goes back to it. */
  private backUpTo(start: number): void {
    if (!this.wary) return
    for (let line = this.text.indexOf('\n', start); line >= 0 && line < this.at; line = this.text.indexOf('\n', line + 1)) {
      if (!isUnmistakable(this.text, line + 1)) continue
      this.at = line
      this.templates.length = 0
      return
    }
  }
}

function isBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code !== 32 && code !== 9 && code !== 13 && code !== 10 && code !== 0xfeff) return false
  }
  return true
}

function isUnmistakable(text: string, start: number): boolean {
  UNMISTAKABLE.lastIndex = start
  return UNMISTAKABLE.test(text)
}

/** A word that is no head but stands where one would: two words in a row, which no expression has. */
function isSuspect(word: string, next: string | undefined): boolean {
  if (next === undefined || CONTINUATIONS.has(word) || next === '"' && word === 'r') return false
  return next !== '{' && !CONTINUATIONS.has(next)
}
