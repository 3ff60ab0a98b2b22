// Page: one file that opens anywhere, offline, in light and dark, and prints.
// Owns: the head, the styles, the few lines of script that sort tables, and the policy that forbids every other script and every load.
//   P1. Content-Security-Policy allows the one script by its hash and inline styles; nothing is fetched. Without script everything can be read.
import { createHash } from 'node:crypto'
import { bounded, escapeHtml, type Html } from './markup.ts'

const STYLE = `
:root{color-scheme:light dark;--ink:#1a1d21;--faint:#5b6470;--paper:#fff;--panel:#f5f6f8;--rule:#d9dde3;--good:#0a7d33;--warn:#9a6700;--bad:#c0262d;--link:#0b5fd0}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--faint:#9aa4b0;--paper:#14171a;--panel:#1d2125;--rule:#363c43;--good:#4cc26f;--warn:#e0b03c;--bad:#ff7a7a;--link:#7db4ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:2rem 1.25rem 4rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.15rem;margin:0;color:var(--faint);font-weight:600}
h2{font-size:1.2rem;margin:2.25rem 0 .75rem}
h3{font-size:1rem;margin:1.25rem 0 .5rem}
a{color:var(--link)}
p{margin:.5rem 0}
pre,code,kbd,samp{font:0.875em/1.45 ui-monospace,Menlo,Consolas,monospace}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:.75rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
.verdict{font-size:1.6rem;line-height:1.3;font-weight:650;margin:.35rem 0 1.25rem;border-left:.35rem solid var(--faint);padding-left:.8rem}
.good{border-color:var(--good)}.warn{border-color:var(--warn)}.bad{border-color:var(--bad)}
.actions{padding-left:1.4rem}.actions li{margin:.6rem 0}.actions .why{color:var(--faint)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.925rem}
caption{text-align:left;color:var(--faint);padding:.25rem 0}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top;overflow-wrap:anywhere;min-width:4ch}
th{font-weight:600;background:var(--panel);overflow-wrap:normal}
th.number,td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer}
th[aria-sort=ascending] button::after{content:" \\2191"}th[aria-sort=descending] button::after{content:" \\2193"}
figure{margin:1rem 0;overflow-x:auto}
details{margin:1.5rem 0;border:1px solid var(--rule);border-radius:6px;padding:.5rem .9rem}summary{cursor:pointer;font-weight:600}
.proof{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:.6rem 1rem;margin-top:2.5rem;font-size:.9rem}
.proof dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.4rem 0}.proof dt{color:var(--faint)}.proof dd{margin:0;overflow-wrap:anywhere}
@media print{body{max-width:none;padding:0;font-size:11pt}details,figure,table,pre,.proof{break-inside:avoid}th{background:none}a{color:inherit}}
@media print{details:not([open])::details-content{display:block;content-visibility:visible}}
@media (max-width:32rem){td:not(.number){min-width:18ch}figure svg[viewBox^="0 0 640"]{min-width:32rem}.proof dl{grid-template-columns:1fr}}
`.trim()

const SCRIPT = `
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.tHead.rows[0].cells]
  heads.forEach((head, column) => {
    const button = document.createElement('button')
    button.type = 'button'
    button.append(...head.childNodes)
    head.append(button)
    button.addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') !== 'ascending'
      heads.forEach(other => other.removeAttribute('aria-sort'))
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending')
      const number = head.classList.contains('number')
      const key = row => number ? parseFloat(row.cells[column].dataset.sort || '-1e308') : row.cells[column].textContent
      const rows = Array.from(table.tBodies[0].rows, row => [key(row), row])
      rows.sort((a, b) => (number ? a[0] - b[0] : a[0].localeCompare(b[0])) * (up ? 1 : -1))
      table.tBodies[0].append(...rows.map(row => row[1]))
    })
  })
}
`.trim()

const SCRIPT_HASH = createHash('sha256').update(SCRIPT).digest('base64')

export function pageHtml(title: string, body: readonly Html[], lang: string): string {
  const content = body.map(part => part.html).join('\n')
  const script = content.includes('class="sortable"') ? `<script>${SCRIPT}</script>\n` : ''
  return bounded(`<!doctype html>
<html lang="${escapeHtml(lang)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${SCRIPT_HASH}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<style>
${STYLE}
</style>
</head>
<body>
${content}
${script}</body>
</html>
`).html
}
