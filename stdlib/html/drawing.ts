// Drawing: which SVG may be put into a page.
// Owns: a strict reading of SVG text. A drawing is taken only when every element, attribute, style property and style function in it is on the list of what
//   drawings need; otherwise it is refused, never mended.
//   D1. No address outside the drawing (`url(#id)` only), no script, no handler, no style element, no character reference but the five of XML.
//   D2. One pass; elements nest at most MAX_NESTING deep.
import { ToolFailure } from 'tek-lang/plugin'
import { bounded, type Html } from './markup.ts'

const MAX_NESTING = 64
const ELEMENTS = new Set(
  'svg g path rect circle ellipse line polyline polygon text tspan title desc defs linearGradient radialGradient stop clipPath mask pattern marker symbol'.split(' '))
const ATTRIBUTES = new Set((
  'xmlns version viewBox width height role class id x y x1 y1 x2 y2 cx cy r rx ry d points transform fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-linecap ' +
  'stroke-linejoin opacity style text-anchor dominant-baseline font-size font-family font-weight letter-spacing dx dy preserveAspectRatio offset stop-color stop-opacity gradientUnits gradientTransform ' +
  'spreadMethod clip-path clip-rule mask marker-end marker-start marker-mid markerWidth markerHeight refX refY orient patternUnits aria-label aria-labelledby aria-hidden vector-effect'
).split(' '))
const STYLES = new Set((
  'fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-linecap stroke-linejoin opacity color font-size font-family font-weight font-style letter-spacing text-anchor ' +
  'dominant-baseline max-width width height stop-color stop-opacity'
).split(' '))
const FUNCTIONS = new Set('var rgb rgba hsl hsla translate translateX translateY scale rotate matrix skewX skewY calc'.split(' '))

const PIECE = /<\/?([A-Za-z][A-Za-z0-9]*)((?:\s+[A-Za-z][\w:-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*\/?>|[^<]+/y
const ATTRIBUTE = /([A-Za-z][\w:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g
const REFERENCE = /&(?!(?:amp|lt|gt|quot|#39);)/

function refuse(what: string): never {
  throw new ToolFailure('unsafe-svg', `The drawing cannot be put into a page: ${what}.`, { help: 'Use what the module chart gives.' })
}

function checkValue(attribute: string, value: string): void {
  if (!ATTRIBUTES.has(attribute)) refuse(`it holds the attribute \`${attribute}\``)
  if (attribute === 'xmlns') {
    if (value !== 'http://www.w3.org/2000/svg') refuse('its namespace is not SVG')
    return
  }
  if (attribute === 'aria-label' || attribute === 'class' || attribute === 'id') return
  const plain = value.replace(/url\(\s*#[\w-]+\s*\)/g, '') // D1
  if (/[\\@]|:\s*\/\/|javascript/i.test(plain)) refuse(`the attribute \`${attribute}\` leads outside`)
  for (const [, name = ''] of plain.matchAll(/([\w-]+)\s*\(/g)) if (!FUNCTIONS.has(name)) refuse(`the attribute \`${attribute}\` uses \`${name}\``)
  if (attribute !== 'style') return
  for (const rule of plain.split(';')) {
    const property = rule.split(':')[0]?.trim() ?? ''
    if (property !== '' && !STYLES.has(property)) refuse(`its style sets \`${property.slice(0, 40)}\``)
  }
}

/** The drawing as markup, when it holds nothing but shapes, text and plain styles. */
export function checkedSvg(svg: string): Html {
  const content = svg.trim()
  if (!content.startsWith('<svg')) refuse('it does not begin with <svg')
  const open: string[] = []
  PIECE.lastIndex = 0
  while (PIECE.lastIndex < content.length) {
    const from = PIECE.lastIndex
    const piece = PIECE.exec(content)
    if (piece === null) return refuse(`\`${content.slice(from, from + 40)}\` is not plain markup`)
    const name = piece[1]
    if (REFERENCE.test(piece[0])) refuse('it holds a character reference that is not one of the five of XML')
    if (name === undefined) {
      if (open.length === 0) refuse('there is text outside of it')
      continue
    }
    if (!ELEMENTS.has(name)) refuse(`it holds the element \`${name}\``)
    for (const [, attribute = '', double, single] of (piece[2] ?? '').matchAll(ATTRIBUTE)) checkValue(attribute, double ?? single ?? '')
    if (piece[0].startsWith('</')) {
      if (open.pop() !== name) refuse(`\`</${name}>\` closes nothing`)
      continue
    }
    if (open.length === 0 && from > 0) refuse('there is more than one drawing')
    if (!piece[0].endsWith('/>')) open.push(name)
    if (open.length > MAX_NESTING) refuse(`it is nested more than ${MAX_NESTING} deep`) // D2
  }
  if (open.length > 0) refuse(`\`${open[open.length - 1]}\` is not closed`)
  return bounded(content)
}
