// Report: a finding a person can act on, as one page.
// Owns: the order: title, verdict, actions, evidence, timeline (folded), proof. Does not own: styles (page), tables (table), escaping (markup).
import { checkedSvg } from './drawing.ts'
import { element, type Html } from './markup.ts'
import { pageHtml } from './page.ts'
import { tableHtml, type Row } from './table.ts'

export interface Section {
  title: string
  text?: string | undefined
  rows?: Row[] | undefined
  columns?: string[] | undefined
  chart?: string | undefined
  code?: string | undefined
  folded?: boolean | undefined
}

export interface Report {
  title: string
  verdict: string
  tone?: 'good' | 'warn' | 'bad' | undefined
  actions?: { title: string; why?: string | undefined; command?: string | undefined }[] | undefined
  sections?: Section[] | undefined
  timeline?: { time: string; event: string }[] | undefined
  proof?: { label: string; value: string }[] | undefined
}

const paragraphs = (text: string): Html[] => text.split(/\n{2,}/).filter(part => part.trim() !== '').map(part => element('p', {}, [part.trim()]))

function evidence(section: Section): Html {
  const parts: Html[] = [
    ...(section.text === undefined ? [] : paragraphs(section.text)),
    ...(section.chart === undefined ? [] : [element('figure', {}, [checkedSvg(section.chart)])]),
    ...(section.rows === undefined ? [] : [section.rows.length === 0 ? element('p', {}, ['Nothing found.']) : tableHtml(section.rows, section.columns ?? [], '')]),
    ...(section.code === undefined ? [] : [element('pre', {}, [element('code', {}, [section.code])])]),
  ]
  if (section.folded === true) return element('details', {}, [element('summary', {}, [section.title]), ...parts])
  return element('section', {}, [element('h2', {}, [section.title]), ...parts])
}

export function reportHtml(report: Report, lang: string): string {
  const actions = report.actions ?? []
  const timeline = report.timeline ?? []
  const proof = report.proof ?? []
  const body: Html[] = [
    element('header', {}, [element('h1', {}, [report.title]), element('p', { class: `verdict${report.tone === undefined ? '' : ` ${report.tone}`}` }, [report.verdict])]),
    ...(actions.length === 0 ? [] : [element('section', {}, [
      element('h2', {}, [actions.length === 1 ? 'What to do' : `What to do: ${actions.length} actions`]),
      element('ol', { class: 'actions' }, actions.map(action => element('li', {}, [
        element('strong', {}, [action.title]),
        ...(action.why === undefined ? [] : [element('div', { class: 'why' }, [action.why])]),
        ...(action.command === undefined ? [] : [element('pre', {}, [element('code', {}, [action.command])])]),
      ]))),
    ])]),
    ...(report.sections ?? []).map(evidence),
    ...(timeline.length === 0 ? [] : [element('details', {}, [
      element('summary', {}, [`Timeline: ${timeline.length} events`]), tableHtml(timeline.map(one => ({ time: one.time, event: one.event })), ['time', 'event'], ''),
    ])]),
    ...(proof.length === 0 ? [] : [element('footer', { class: 'proof' }, [
      element('strong', {}, ['Proof']),
      element('dl', {}, proof.flatMap(one => [element('dt', {}, [one.label]), element('dd', {}, [one.value])])),
    ])]),
  ]
  return pageHtml(report.title, body, lang)
}
