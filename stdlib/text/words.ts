// Words: the words of a text, and names in the usual cases.
// Owns: where one word of a name ends (`parseHTTPUrl2` → parse, http, url2).

/** Words as a reader sees them: runs of letters, digits, apostrophes inside, in any script. */
export const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}\p{M}]+(?:['’][\p{L}\p{N}\p{M}]+)*/gu) ?? []

/** The parts of an identifier or title, in lower case. */
export function nameParts(text: string): string[] {
  const spaced = text.replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2').replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
  return (spaced.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).map(part => part.toLowerCase())
}

export const capitalized = (word: string): string => {
  const [first = '', ...rest] = word
  return first.toUpperCase() + rest.join('')
}

export const camelCase = (text: string): string => nameParts(text).map((part, index) => (index === 0 ? part : capitalized(part))).join('')
export const pascalCase = (text: string): string => nameParts(text).map(capitalized).join('')
export const titleCase = (text: string): string => text.replace(/[\p{L}\p{M}][\p{L}\p{N}\p{M}'’]*/gu, word => capitalized(word.toLowerCase()))

/** Lines of at most `width` code points, broken at spaces; a longer word stands alone on its line. Line ends in the text stay. */
export function wrapped(text: string, width: number): string {
  return text
    .split('\n')
    .map(paragraph => {
      const lines: string[] = []
      let [line, length] = ['', 0]
      for (const word of paragraph.split(/[ \t]+/)) {
        const wordLength = [...word].length
        if (line !== '' && length + 1 + wordLength > width) {
          lines.push(line)
          ;[line, length] = [word, wordLength]
        } else {
          ;[line, length] = line === '' ? [word, wordLength] : [`${line} ${word}`, length + 1 + wordLength]
        }
      }
      return [...lines, line].join('\n')
    })
    .join('\n')
}

/** Removes the white space that all lines that are not blank start with. */
export function dedented(text: string): string {
  const lines = text.split('\n')
  let shared: string | null = null
  for (const line of lines) {
    if (line.trim() === '') continue
    const indent = /^[ \t]*/.exec(line)?.[0] ?? ''
    if (shared === null) shared = indent
    let same = 0
    while (same < shared.length && shared[same] === indent[same]) same++
    shared = shared.slice(0, same)
  }
  const cut = shared?.length ?? 0
  return lines.map(line => (line.trim() === '' ? line.slice(Math.min(cut, line.length)).trimEnd() : line.slice(cut))).join('\n')
}
