// Markup: pieces of HTML that are safe by type, and the one page they are put in.
// Owns: escaping, the page's styles and its policy. Does not own: what a report says (run-report.ts).
//   M1. Text becomes markup only through `text` and attributes only through `attribute`: nothing a run produced is ever read as a tag.
//   M2. The page's policy forbids scripts and everything that would be fetched: it opens offline and tells nobody that it was opened.
import { escapeXml } from '#graph/svg.ts'
import { neutralise } from '#base/terminal-text.ts'

/** HTML that was made here. */
export interface Html {
  readonly html: string
}

export const raw = (html: string): Html => ({ html })

/** Text as it is to be read: control and direction characters are shown, not obeyed. */
export const text = (value: string): Html => ({ html: escapeXml(neutralise(value)) })

/**
 * An element. Attribute values are escaped; a child that is plain text is escaped too.
 *
 * @example
 * element('p', { class: 'why' }, 'a < b').html // '<p class="why">a &lt; b</p>'
 */
export function element(name: string, attributes: Readonly<Record<string, string | number>>, ...children: readonly (Html | string)[]): Html {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(neutralise(String(value)))}"`).join('')
  return raw(`<${name}${written}>${children.map(child => (typeof child === 'string' ? text(child) : child).html).join('')}</${name}>`)
}

export const join = (parts: readonly Html[]): Html => raw(parts.map(part => part.html).join('\n'))

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--faint:#5d6b7c;--paper:#fff;--panel:#f4f6f9;--rule:#d9dfe7;--done:#1a7f4b;--failed:#c0352b;--running:#9a6700;--cached:#6b7fa8}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf2;--faint:#9aa7b8;--paper:#14181e;--panel:#1f262f;--rule:#343d49;--done:#4cc38a;--failed:#ff7b72;--running:#e3b341;--cached:#8fa3cf}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:2rem 1.25rem 4rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.05rem;margin:0;color:var(--faint);font-weight:600}h2{font-size:1.15rem;margin:2.25rem 0 .75rem}
.verdict{font-size:1.6rem;line-height:1.3;font-weight:650;margin:.35rem 0 1.25rem;border-left:.35rem solid var(--faint);padding-left:.8rem}
.verdict.done{border-color:var(--done)}.verdict.failed{border-color:var(--failed)}.verdict.stopped{border-color:var(--running)}
pre,code{font:.875em/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:.75rem;margin:.5rem 0;white-space:pre-wrap}
.failure{border-left:.2rem solid var(--failed);padding-left:.8rem;margin:1rem 0}.failure p{margin:.25rem 0}.help{color:var(--faint)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.925rem}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}th{background:var(--panel)}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.status{white-space:nowrap}td.status.done{color:var(--done)}td.status.failed{color:var(--failed)}td.status.running{color:var(--running)}td.status.skipped,td.status.cancelled,td.status.waiting,td.status.ready{color:var(--faint)}
details{margin:1.25rem 0;border:1px solid var(--rule);border-radius:6px;padding:.5rem .9rem}summary{cursor:pointer;font-weight:600}
figure{margin:1rem 0;overflow-x:auto}figcaption{color:var(--faint);font-size:.9rem}
.timeline text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:var(--ink)}.timeline .scale{fill:var(--faint)}.timeline line{stroke:var(--rule)}
.timeline .wait{fill:none;stroke:var(--faint);stroke-dasharray:3 2}.timeline .gap{fill:var(--panel)}
a{color:inherit}.verdict.waiting,.verdict.paused{border-color:var(--running)}
.timeline .done{fill:var(--done)}.timeline .failed{fill:var(--failed)}.timeline .running{fill:var(--running)}.timeline .cached{fill:var(--cached)}.timeline .skipped,.timeline .cancelled,.timeline .waiting,.timeline .ready{fill:var(--faint)}
.proof{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:.6rem 1rem;margin-top:2.5rem;font-size:.9rem}
.proof dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.4rem 0}.proof dt{color:var(--faint)}.proof dd{margin:0}
@media print{body{max-width:none;padding:0;font-size:10.5pt}details,figure,table,pre,.proof,.failure{break-inside:avoid}}
@media (max-width:32rem){.proof dl{grid-template-columns:1fr}}
`.trim()

/** A whole page. */
export function page(title: string, body: readonly Html[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
${element('title', {}, title).html}
<style>
${STYLE}
</style>
</head>
<body>
${join(body).html}
</body>
</html>
`
}
