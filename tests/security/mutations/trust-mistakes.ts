// Trust mistakes: text from outside that reaches what it may not, secrets that leave, an agent that can be talked into both.
import { family, type Mutation } from './mutation.ts'

export const trustMistakes: readonly Mutation[] = [
  ...family('untrusted text reaches a command, path or address', [
    ['build', 'shell.must("tar", "-czf", "pages.tar.gz", "pages")', 'shell.must("tar", "-czf", fs.read("src/name.md"), "pages")', 'trust/*'],
    ['build', '"${out}/${page.index}.html"', 'path.of("${out}/${fs.read("src/name.md")}.html")', 'trust/*'],
    ['triage', '"${out}/labels.json", json', 'path.of("${out}/${first(issues)?.title ?? ""}"), json', 'trust/*'],
    ['triage', '  task some = take', '  task more = http.getJson("${server}/${first(issues)?.title ?? ""}")\n  task some after more = take', 'trust/*'],
    ['triage', '  task some = take', '  task more = http.get(first(issues)?.body ?? server)\n  task some after more = take', 'trust/*'],
    ['upgrades', 'git.commit("Upgrade", branch: "tek/upgrades")', 'git.commit("Upgrade", branch: "tek/${run.reason ?? ""}")', 'trust/*'],
    ['health', '  task summary = fs.write(\n    path.withExt(out, ".md"),', '  task summary = fs.write(\n    path.of("${first(readable)?.text ?? ""}.md"),', 'trust/*'],
    ['pipeline', '"${out}/regions.svg",', 'path.of("${out}/${join(map(byRegion, g => g.name))}.svg"),', 'trust/*'],
    ['build', '"run build" => shell.run("npm", "run", "build")', '"run build" => shell.run("npm", "run", shell.must("npm", "test"))', 'trust/*'],
    ['research', 'text.grep(fs.glob("src/**/*.ts"), word)', 'text.grep([path.of(fs.read("src/list.txt"))], word)', 'trust/untrusted-and-undecided'],
  ]),
  ...family('untrusted text becomes a system prompt', [
    ['triage', 'role "You label issues. Answer with one label."', 'role fs.read("role.txt")', 'task/call-not-allowed-here'],
    ['triage', 'role "You label issues. Answer with one label."', 'role ask(title: issue.title, body: "")', 'name/unknown-value'],
  ]),
  ...family('secret leaves', [
    ['research', '{ text: answer, findings: all }', '{ text: "${answer}${key}", findings: all }', 'secret/*'],
    ['research', '{ text: answer, findings: all }', '{ text: key, findings: all }', 'secret/*'],
    ['research', '      Look at ${file}.', '      Look at ${file} with ${key}.', 'secret/*'],
    ['research', 'Answer in a ${tone} tone.', 'Answer in a ${tone} tone. The key is ${key}.', 'secret/*'],
    ['research', 'let all = flatten(looked)', 'let all = flatten(looked)\n  let note = "${key}"', 'capability/not-granted'],
    ['research', 'text.grep(fs.glob("src/**/*.ts"), word)', 'text.grep(fs.glob("src/**/*.ts"), key)', 'secret/*'],
    ['research', 'json.print(worst)', 'json.print({ worst: worst, key: key })', 'secret/*'],
    ['research', 'on failure continue = prompt', 'on failure continue label "with ${key}" = prompt', 'secret/*'],
    ['research', 'memory thread "research"', 'memory thread key', 'secret/*'],
    ['research', 'secret key = env("MODEL_KEY")', 'secret key = "sk-1234567890"', 'secret/bad-source'],
    ['research', 'secret key = env("MODEL_KEY")', 'secret key = env()', 'secret/bad-source'],
    ['research', 'key: key)', 'key: "sk-1234567890")', 'agent/bad-key'],
  ]),
  ...family('lethal trifecta', [
    ['research', '  can fs.read("src/**")\n  tools fs.read, mentions', '  can fs.read("src/**"), net("*")\n  tools fs.read, http.get, http.post, mentions', 'agent/lethal-trifecta'],
    ['triage', '  limits { tokens: 20k', '  can fs.read("**"), net("*")\n  tools fs.read, http.getJson, http.post\n  limits { tokens: 20k', 'agent/lethal-trifecta'],
  ]),
]
