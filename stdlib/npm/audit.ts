// Audit: what the registry knows to be vulnerable of what is installed.
// Owns: asking, and telling "none" from "nobody could say". Does not own: what a program makes of it.
//   A1. A registry that does not answer this question (many mirrors do not) gives `unavailable` with the reason, never a number. A gate on it must fail closed.
//   A2. Names and versions of the lock go to the registry of each name and to no other.
import { ToolFailure, type ToolContext } from 'tek-lang/plugin'
import { isData, own, type Package } from './lock.ts'
import { isRange, satisfies } from './range.ts'
import { type Registry } from './registry.ts'
import type { RegistryOf } from './fetching.ts'

const MAX_FINDINGS = 1_000
const SEVERITIES = ['info', 'low', 'moderate', 'high', 'critical'] as const

export interface Finding {
  package: string
  version: string
  severity: (typeof SEVERITIES)[number]
  title: string
  url: string
}

export type Audit = { kind: 'known'; findings: number; list: Finding[] } | { kind: 'unavailable'; why: string }

const text = (value: unknown, most: number): string => (typeof value === 'string' ? value.slice(0, most) : '')

async function ask(context: ToolContext, registry: Registry, versions: Readonly<Record<string, readonly string[]>>): Promise<Finding[] | string> {
  const { host } = new URL(registry.address)
  let answer
  try {
    answer = await context.fetch(`${registry.address.replace(/\/+$/, '')}/-/npm/v1/security/advisories/bulk`, {
      method: 'POST', body: JSON.stringify(versions), timeoutMs: 60_000, maxBodyBytes: 20_000_000,
      headers: { accept: 'application/json', 'content-type': 'application/json', ...(registry.token === '' ? {} : { authorization: `Bearer ${registry.token}` }) },
    })
  } catch (problem) {
    if (problem instanceof ToolFailure) throw problem // what is not permitted is not "unavailable"
    return problem instanceof Error ? problem.message : String(problem)
  }
  if (answer.status !== 200) return `${host} answered ${answer.status} to the question for vulnerabilities.`
  let root: unknown
  try {
    root = JSON.parse(answer.body)
  } catch {
    return `${host} answered something else than JSON.`
  }
  if (!isData(root) || Object.values(root).some(value => !Array.isArray(value))) return `${host} answered something else than lists of advisories.` // A1: an object with an error
  return Object.entries(root).flatMap(([name, list]) => (list as unknown[]).filter(isData).flatMap((advisory): Finding[] => {
    const range = text(own(advisory, 'vulnerable_versions'), 1_000)
    const severity = SEVERITIES.find(each => each === own(advisory, 'severity')) ?? 'high'
    return (versions[name] ?? []).filter(version => !isRange(range) || satisfies(version, range)).map(version => ({
      package: name, version, severity, title: text(own(advisory, 'title'), 500), url: text(own(advisory, 'url'), 500),
    }))
  }))
}

export async function audit(context: ToolContext, packages: readonly Package[], registryOf: RegistryOf): Promise<Audit> {
  const byRegistry = new Map<string, { registry: Registry; versions: Record<string, string[]> }>()
  for (const { name, version } of packages) {
    const registry = registryOf(name)
    const group = byRegistry.get(registry.address) ?? { registry, versions: {} }
    byRegistry.set(registry.address, group)
    const known = Object.hasOwn(group.versions, name) ? group.versions[name] ?? [] : []
    if (!known.includes(version)) group.versions[name] = [...known, version]
  }
  const list: Finding[] = []
  for (const { registry, versions } of byRegistry.values()) { // A2
    const found = await ask(context, registry, versions)
    if (typeof found === 'string') return { kind: 'unavailable', why: found }
    list.push(...found)
  }
  return { kind: 'known', findings: list.length, list: list.sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) || (a.package < b.package ? -1 : 1)).slice(0, MAX_FINDINGS) }
}
