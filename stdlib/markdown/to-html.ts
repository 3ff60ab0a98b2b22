// To html: a safe subset of Markdown as HTML.
// Owns: headings, paragraphs, lists (nested by two spaces), quotes, fenced and inline code, emphasis, links, rules, tables.
//   H1. Every character of the input is escaped; raw HTML is shown as text, never passed on.
//   H2. A link goes only to http, https, mailto, a place in the page or a relative address; anything else is plain text. Images become links: a page loads nothing.
//   H3. One pass over lines and one over each line's text; quotes and lists nest at most MAX_NESTING deep.
const MAX_NESTING = 16

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')

const SAFE_ADDRESS = /^(?:https?:\/\/|mailto:|#|\.{0,2}\/|[\w.-]+(?:[/?#]|$))/i

/** Code, link (or image), strong, emphasis twice, struck out, escaped character. */
const INLINE = new RegExp([
  /(`{1,3})([^`](?:[^\n]*?[^`])?)\1(?!`)/, /!?\[([^\]\n]{0,500})\]\(([^()\s]{1,2000})\)/, /\*\*((?:[^*\n]|\*(?!\*)){1,2000}?)\*\*/, /\*([^*\n]{1,2000})\*/,
  /(?<![\w])_([^_\n]{1,2000})_(?![\w])/, /~~([^~\n]{1,2000})~~/, /\\([\\`*_{}[\]()#+\-.!|~<>=])/,
].map(part => part.source).join('|'), 'g')

function inlineHtml(text: string, depth = 0): string {
  if (depth > MAX_NESTING) return escapeHtml(text)
  let [result, from] = ['', 0]
  for (const found of text.matchAll(INLINE)) {
    result += escapeHtml(text.slice(from, found.index))
    from = found.index + found[0].length
    const [whole, , code, label, address, strong, emphasis, underscored, struck, escaped] = found
    if (code !== undefined) result += `<code>${escapeHtml(code.trim())}</code>`
    else if (address !== undefined) result += SAFE_ADDRESS.test(address) ? `<a href="${escapeHtml(address)}" rel="noreferrer">${inlineHtml(label ?? '', depth + 1)}</a>` : escapeHtml(whole) // H2
    else if (strong !== undefined) result += `<strong>${inlineHtml(strong, depth + 1)}</strong>`
    else if (emphasis !== undefined || underscored !== undefined) result += `<em>${inlineHtml(emphasis ?? underscored ?? '', depth + 1)}</em>`
    else if (struck !== undefined) result += `<del>${inlineHtml(struck, depth + 1)}</del>`
    else result += escapeHtml(escaped ?? whole)
  }
  return result + escapeHtml(text.slice(from))
}

const cells = (line: string): string[] => line.trim().replace(/^\||\|$/g, '').split(/(?<!\\)\|/).map(cell => cell.trim().replaceAll('\\|', '|'))

interface Reader {
  readonly lines: readonly string[]
  at: number
}

export function blocksHtml(lines: readonly string[], depth = 0): string {
  const reader: Reader = { lines, at: 0 }
  let html = ''
  while (reader.at < lines.length) html += block(reader, depth)
  return html
}

function block(reader: Reader, depth: number): string {
  const line = reader.lines[reader.at] ?? ''
  const fence = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)/.exec(line)
  if (fence !== null) return codeBlock(reader, fence[1] ?? '```', fence[2] ?? '')
  const heading = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line)
  if (heading !== null) {
    reader.at++
    const level = heading[1]?.length ?? 1
    return `<h${level}>${inlineHtml(heading[2] ?? '')}</h${level}>\n`
  }
  if (/^ {0,3}(?:-\s*){3,}$|^ {0,3}(?:\*\s*){3,}$|^ {0,3}(?:_\s*){3,}$/.test(line)) {
    reader.at++
    return '<hr>\n'
  }
  if (/^ {0,3}>/.test(line) && depth < MAX_NESTING) return `<blockquote>\n${blocksHtml(taken(reader, text => /^ {0,3}>/.test(text)).map(text => text.replace(/^ {0,3}> ?/, '')), depth + 1)}</blockquote>\n`
  if (LIST_ITEM.test(line) && depth < MAX_NESTING) return listBlock(reader, depth)
  if (line.includes('|') && /^[\s|:-]*-[\s|:-]*$/.test(reader.lines[reader.at + 1] ?? '') && (reader.lines[reader.at + 1] ?? '').includes('|')) return tableBlock(reader)
  if (line.trim() === '') {
    reader.at++
    return ''
  }
  const first = reader.lines[reader.at++] ?? ''
  const rest = taken(reader, text => text.trim() !== '' && !/^ {0,3}(?:#{1,6}\s|>|`{3,}|~{3,})/.test(text) && !LIST_ITEM.test(text))
  return `<p>${[first, ...rest].map(text => inlineHtml(text.trim())).join('\n')}</p>\n`
}

function taken(reader: Reader, belongs: (line: string) => boolean): string[] {
  const found: string[] = []
  for (; reader.at < reader.lines.length && belongs(reader.lines[reader.at] ?? ''); reader.at++) found.push(reader.lines[reader.at] ?? '')
  return found
}

function codeBlock(reader: Reader, fence: string, language: string): string {
  reader.at++
  const content = taken(reader, text => !text.trim().startsWith(fence))
  reader.at++
  return `<pre><code${language === '' ? '' : ` class="language-${escapeHtml(language)}"`}>${escapeHtml(content.join('\n'))}\n</code></pre>\n`
}

const LIST_ITEM = /^( {0,3})(?:[-*+]|\d{1,9}[.)])\s+/

function listBlock(reader: Reader, depth: number): string {
  const ordered = /^ {0,3}\d/.test(reader.lines[reader.at] ?? '')
  const items: string[] = []
  while (reader.at < reader.lines.length) {
    const mark = LIST_ITEM.exec(reader.lines[reader.at] ?? '')
    if (mark === null || /^ {0,3}\d/.test(mark[0]) !== ordered) break
    const first = (reader.lines[reader.at++] ?? '').slice(mark[0].length)
    const rest = taken(reader, text => /^(?: {2,}|\t)\S/.test(text)).map(text => text.replace(/^(?: {2,4}|\t)/, ''))
    items.push(`<li>${inlineHtml(first)}${rest.length > 0 ? `\n${blocksHtml(rest, depth + 1)}` : ''}</li>`)
  }
  const name = ordered ? 'ol' : 'ul'
  return `<${name}>\n${items.join('\n')}\n</${name}>\n`
}

function tableBlock(reader: Reader): string {
  const heads = cells(reader.lines[reader.at] ?? '')
  const right = cells(reader.lines[reader.at + 1] ?? '').map(mark => mark.endsWith(':'))
  reader.at += 2
  const rows = taken(reader, text => text.includes('|') && text.trim() !== '').map(cells)
  const row = (list: readonly string[], tag: 'th' | 'td') =>
    `<tr>${heads.map((_, index) => `<${tag}${right[index] ? ' style="text-align:right"' : ''}>${inlineHtml(list[index] ?? '')}</${tag}>`).join('')}</tr>`
  return `<table>\n<thead>${row(heads, 'th')}</thead>\n<tbody>\n${rows.map(list => row(list, 'td')).join('\n')}\n</tbody>\n</table>\n`
}
