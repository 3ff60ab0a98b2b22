// Markup: HTML that is safe by construction.
// Owns: escaping, which elements and attributes there are. `Html` never leaves this module's code: programs hold nodes (node.ts), which are checked when printed.
//   M1. A text becomes markup only by being escaped. There is no way to put raw markup in.
//   M2. Elements and attributes come from lists; no scripts, no event handlers, no styles, no address but http, https, mailto and relative ones.
import { ToolFailure } from 'tek-lang/plugin'

export interface Html {
  html: string
}

const MAX_HTML_LENGTH = 20_000_000

const ELEMENTS = new Set((
  'a abbr article aside b blockquote br caption cite code col colgroup dd del details div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i ins kbd li main mark meter nav ol p pre ' +
  'progress q s samp section small span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr'
).split(' '))
const EMPTY = new Set(['br', 'col', 'hr', 'wbr'])
const ATTRIBUTES = new Set('class id title lang dir href colspan rowspan scope open value max min low high optimum datetime start reversed cite role hidden tabindex'.split(' '))

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;').replaceAll('\0', '\ufffd')

export function bounded(html: string): Html {
  if (html.length > MAX_HTML_LENGTH) throw new ToolFailure('too-long', `A page has at most ${MAX_HTML_LENGTH} characters.`)
  return { html }
}

/** True for addresses that only lead somewhere: http, https, mailto, relative, a place in the page. Control characters hide schemes from people but not from browsers. */
const isSafeAddress = (address: string): boolean => !/[\u0000-\u0020]/.test(address) && (/^(?:https?:|mailto:)/i.test(address) || !/^[^/?#]*:/.test(address))


export function element(name: string, attributes: Readonly<Record<string, string>>, children: readonly (string | Html)[]): Html {
  if (!ELEMENTS.has(name)) throw new ToolFailure('no-such-element', `\`${name.slice(0, 50)}\` is not an element that pages are built of here.`)
  const written = Object.entries(attributes).map(([attribute, value]) => {
    if (!ATTRIBUTES.has(attribute) && !/^(?:aria|data)-[a-z][a-z0-9-]*$/.test(attribute)) {
      throw new ToolFailure('no-such-attribute', `\`${attribute.slice(0, 50)}\` is not an attribute that may be set.`, { help: 'Handlers and styles are left out on purpose; use classes.' })
    }
    if ((attribute === 'href' || attribute === 'cite') && !isSafeAddress(value)) throw new ToolFailure('bad-address', 'A link leads to http, https, mailto or a relative address.')
    return ` ${attribute}="${escapeHtml(value)}"`
  })
  const open = `<${name}${written.join('')}>`
  if (!EMPTY.has(name)) return bounded(`${open}${children.map(child => (typeof child === 'string' ? escapeHtml(child) : child.html)).join('')}</${name}>`)
  if (children.length > 0) throw new ToolFailure('no-children', `\`${name}\` has no content.`)
  return { html: open }
}
