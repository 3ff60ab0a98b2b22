// Agent guards: the checks that stand between models, agents, servers of tools, senders of webhooks and what they must not do; how each is switched off, and which
// tests must then fail.
//   Each entry replaces `find`, which stands exactly once in `file`, by `put`. `named` are tests of the file `test`, each by a part of its whole name; `isBuilt`: they run the built command, or use what the build makes of the standard library.

const askModel = 'tests/guard/ask-model.test.ts'
const asked = 'tests/engine/asked-calls.test.ts'
const delegation = 'tests/engine/delegation.test.ts'
const hidden = { file: 'src/types/plan-json-hidden.ts', test: 'tests/compiler/teams.test.ts' }
const hostile = { test: 'tests/mcp/hostile.test.ts', isBuilt: true }
const signature = { file: 'src/serve/webhooks/signature.ts', test: 'tests/serve/signature.test.ts' }
const webhooks = { file: 'src/serve/webhooks/webhook-server.ts', test: 'tests/serve/webhooks.test.ts', isBuilt: true }

export const agentGuards = [
  // Models.
  { id: 'a model that is granted', file: 'src/interpreter/effects/ask-model.ts', find: 'if (refusal !== null) {', put: 'if (refusal === undefined) {', test: askModel, isBuilt: true, named: ['a model that the person has not allowed is not asked'] },
  { id: 'a fallback that is granted', file: 'src/interpreter/effects/ask-model.ts', find: 'chain: chain.filter(key => isAllowed(levels, need(key), cwd, world.kindsOf)),', put: 'chain,', test: askModel, isBuilt: true, named: ['nor one that would answer in its place'] },
  { id: 'a key that the person lets be read', file: 'src/interpreter/effects/ask-model.ts', find: '[permit ?? [needOf(declared.source)]]', put: '[[needOf(declared.source)]]', test: askModel, isBuilt: true, named: ['its key is read only where the person lets it be read'] },
  { id: 'nothing is asked of a run that is being stopped', file: 'src/interpreter/effects/ask-model.ts', find: 'isStopped ||= !world.mayAct()\n', put: '\n', test: askModel, isBuilt: true, named: ['nothing is sent once the file that stops every run is there'] },
  { id: 'no secret in an answer', file: 'src/interpreter/effects/ask-model.ts', find: 'return secrets === noSecrets ? outcome : withoutSecrets(outcome, text => secrets.redactText(text))', put: 'return outcome', test: askModel, isBuilt: true, named: ['no secret goes out with a question, and none that comes back is kept'] },
  { id: 'no secret in a question', file: 'src/interpreter/effects/ask-model.ts', find: ': {}), request: shownRequest(request, secrets),', put: ': {}), request,', test: askModel, isBuilt: true, named: ['no secret goes out with a question, and none that comes back is kept'] },
  { id: 'hosts of a model', file: 'src/interpreter/gateway/models.ts', find: 'if (host === null || !hosts.some(each => hostOf(each) === host)) throw', put: 'if (host === null) throw', test: 'tests/models/models.test.ts', named: ['it reaches its own hosts alone, also by a redirect'] },
  { id: 'redirects of a model', file: 'src/interpreter/gateway/model-fetch.ts', find: 'mayFollow: mayReach,', put: 'mayFollow: () => {},', test: 'tests/models/models.test.ts', named: ['it reaches its own hosts alone, also by a redirect'] },
  { id: 'where the name of a model leads', file: 'src/interpreter/gateway/models.ts', find: 'mayConnect: mayConnect(key),', put: '', test: 'tests/models/models.test.ts', named: ['addresses of credentials are never reached'] },

  // Text from outside in a conversation.
  { id: 'no acting after text from outside', file: 'src/interpreter/engine/talk/talk.ts', find: "if (this.isTainted && tool.isSink && this.spec.afterUntrusted === 'refuse') return", put: 'if (this.isTainted && tool.isSink && this.turns < 0) return', test: 'tests/talk/talk.test.ts', named: ['a tool that acts on the world is refused from then on'] },
  { id: 'or a person is asked', file: 'src/interpreter/engine/talk/talk.ts', find: "needsPerson: this.isTainted && tool!.isSink && this.spec.afterUntrusted === 'ask'", put: 'needsPerson: false', test: asked, named: ['a person is asked, with the arguments'] },
  { id: 'a person before every call', file: 'src/interpreter/engine/talks.ts', find: 'return alwaysAsks(tool) || (', put: 'return (', test: asked, named: ['a person is asked from the first turn on'] },
  { id: 'nobody to ask is no yes', file: 'src/interpreter/engine/talks.ts', find: "return by === undefined ? { kind: 'refused', why: nobodyToAsk } : desk(by)", put: 'if (by !== undefined) return desk(by)', test: asked, named: ['where the plan has nobody to ask by'] },
  { id: 'a result from outside marks the conversation', file: 'src/interpreter/engine/talk/talk.ts', find: 'if (found.isOutside) this.isTainted = true', put: '', test: 'tests/talk/talk.test.ts', named: ['a tool that acts on the world is refused from then on'] },
  { id: 'so does a prompt', file: 'src/interpreter/engine/talk/talk.ts', find: 'this.isTainted = spec.isPromptUntrusted\n', put: '\n', test: 'tests/talk/talk.test.ts', named: ['a prompt with such text counts from the start'] },
  { id: 'marks around text from outside', file: 'src/interpreter/engine/talk/talk.ts', find: 'text: isOutside && result !== null ? fromOutside(text) : text }', put: 'text }', test: 'tests/security/injection/injection.test.ts', named: ['to what a tool from outside gives'] },
  { id: 'a prompt from outside is cleaned', file: 'src/interpreter/engine/talk/talk.ts', find: 'this.say(spec.isPromptUntrusted ? cleaned(spec.prompt).text : spec.prompt)', put: 'this.say(spec.prompt)', test: 'tests/security/injection/injection.test.ts', named: ['to a prompt that holds text from outside'] },

  // Agents that lead, write and remember.
  { id: 'levels of what is delegated', file: 'src/interpreter/engine/delegation.ts', find: 'levels: [...around.levels, ...levels],', put: 'levels: [],', test: delegation, named: ['levels, budgets and limits of the conversation hold for what it delegates'] },
  { id: 'levels of the agent that delegates', file: 'src/interpreter/engine/delegation.ts', find: 'levels: [...around.levels, ...levels],', put: 'levels: around.levels,', test: delegation, named: ['levels, budgets and limits of the conversation hold for what it delegates'] },
  { id: 'budgets of what is delegated', file: 'src/interpreter/engine/delegation.ts', find: 'callQuota: around.callQuota, budgets,', put: 'callQuota: around.callQuota, budgets: around.budgets,', test: delegation, named: ['a sub-agent without room in the budget of its lead fails'] },
  { id: 'text from outside goes up', file: 'src/interpreter/engine/questions.ts', find: 'if (talk.talk?.isTainted === true) taintAround(state, task)', put: '', test: delegation, named: ['what a sub-agent read from outside taints its lead'] },
  { id: 'text from outside goes down', file: 'src/interpreter/engine/delegation.ts', find: 'isTainted: talk.talk!.isTainted || under.talk.talk!.isTainted,', put: 'isTainted: false,', test: delegation, named: ['what a lead read from outside is text from outside to those it leads'] },
  { id: 'text from outside in a message', file: 'src/interpreter/engine/messages.ts', find: 'isTainted: talk.talk!.isTainted }', put: 'isTainted: false }', test: 'tests/engine/messages.test.ts', named: ['from a conversation that holds text from outside'] },
  { id: 'text from outside that is remembered', file: 'src/interpreter/engine/memory.ts', find: 'isUntrusted: entries.some(each => each.isUntrusted) } // M4', put: 'isUntrusted: false }', test: 'tests/engine/memory.test.ts', named: ['text from outside in one conversation is text from outside in those that remember it', 'the mark of text from outside is kept with it'] },
  { id: 'text from outside that is kept', file: 'src/interpreter/engine/memory.ts', find: 'answer, isUntrusted: isTainted }', put: 'answer, isUntrusted: false }', test: 'tests/engine/memory.test.ts', named: ['the mark of text from outside is kept with it'] },
  { id: 'text from outside in a summary', file: 'src/interpreter/engine/memory.ts', find: 'isUntrusted: covered.some(each => each.isUntrusted) } // M4', put: 'isUntrusted: false }', test: 'tests/engine/memory.test.ts', named: ['the summary is kept in the thread in place of what it was made from, with its mark'] },

  // Plans that are loaded.
  { ...hidden, id: 'what stands for a call says so', find: "if (key.startsWith('@') !== (standsFor !== undefined)) return", put: 'if (key === standsFor) return', named: ['a workflow of such a key that stands for nothing', 'a workflow that somebody wrote and that stands for a call'] },
  { ...hidden, id: 'no run begins with it', find: 'if (entry !== undefined) return', put: 'if (entry === null) return', named: ['one that a run could begin with'] },
  { ...hidden, id: 'it asks whom it names', find: "return isOwn ? null : 'nodes ask somebody else'", put: 'return null', named: ['one that asks another agent'] },
  { ...hidden, id: 'it asks a person', find: " && nodes[0]!['approve'] !== null ?", put: ' ?', named: ['one that asks nobody'] },
  { ...hidden, id: 'a tool opens its own', find: 'if (wrong >= 0) return', put: 'if (wrong === null) return', named: ['a tool that opens the question of another agent', 'a tool that asks always and has no question', 'a tool that opens the agent of another lead', 'a question to a lead that is none'] },

  // Servers of tools.
  { id: 'a call of a server goes by its own grant', file: 'src/interpreter/effects/call-tool.ts', find: "server === null ? request.needs : [{ name: 'mcp', args: [serverInGrant(server), request.fn] }]", put: 'request.needs', test: askModel, isBuilt: true, named: ['what a plan says that a call of a server needs is not believed'] },
  { ...hostile, id: 'a server is as its lock says', file: 'src/mcp/call-servers.ts', find: 'if (differs !== null) return failed(', put: 'if (differs === undefined) return failed(', named: ['a server that changed since it was agreed to is refused'] },
  { ...hostile, id: 'its definition is as its lock says', file: 'src/mcp/call-servers.ts', find: 'if (canonicalJson(facts) !== canonicalJson((planned.server ?? null) as unknown as Json)) return', put: 'if (facts === null) return', named: ['a definition that changed is refused', 'a lock that shows something else than is started is refused'] },
  { id: 'variables of a server', file: 'src/interpreter/guard/server-access.ts', find: 'if (!allowed) throw denied(wanted, cwd)', put: '', test: 'tests/mcp/grants.test.ts', named: ['a variable is read only where the person lets it be read'] },
  { ...hostile, id: 'values of variables are taken out', file: 'src/mcp/call-servers.ts', find: 'shown = shown.replaceAll(value, `[env ${name}]`)', put: 'shown = `${shown}${value.slice(0, 0)}${name.slice(0, 0)}`', named: ['a variable is written out where the person lets it be read, and is taken out of what comes back'] },
  { id: 'the address of a server and no other', file: 'src/mcp/http-link.ts', find: 'if (new URL(url).origin !== origin) throw', put: 'if (origin === null) throw', test: 'tests/mcp/addresses.test.ts', named: ['a redirect to another server is refused'] },
  { id: 'where the name of a server leads', file: 'src/mcp/http-link.ts', find: 'if (hostname !== address && needsOwnGrant(hostname, address)) throw', put: 'if (hostname === null) throw', test: 'tests/mcp/addresses.test.ts', named: ['a name that stands for this machine is refused'] },

  // Tests and cassettes.
  { id: 'the guard decides before a fake', file: 'src/interpreter/effects/call-tool.ts', find: 'const refusal = needs.length === 0 ? null', put: 'const refusal = needs.length === 0 || isFaked ? null', test: 'tests/cli/test-fakes.test.ts', isBuilt: true, named: ['the guard decides first', 'an agent gets what is given, within what the agent may do'] },
  { id: 'nothing outside the machine in a test', file: 'src/interpreter/effects/fakes.ts', find: 'levels.map(level => level.filter(grant => !OUTSIDE.has(grant.name)))', put: '[...levels]', test: 'tests/cli/test-fakes.test.ts', isBuilt: true, named: ['nothing outside the machine is reached in a test'] },
  { id: 'a cassette answers what it was asked', file: 'src/interpreter/gateway/cassette.ts', find: 'own.filter(each => each.turn.request === hash)', put: 'own.filter(each => each.turn.request !== null)', test: 'tests/models/cassette.test.ts', named: ['what differs from the nearest question is said'] },

  // Webhooks and people.
  { ...webhooks, id: 'who sent a delivery', find: "if (verdict?.kind === 'invalid') return", put: 'if (verdict === undefined) return', named: ['signed by nothing', 'signed by another secret', 'signed by an old timestamp'] },
  { ...signature, id: 'signed by the secret', find: 'if (!isValid) return', put: 'if (isValid === null) return', named: ['another id is refused', 'another time is refused', 'the scheme with public keys'] },
  { ...signature, id: 'signed by the secret, as GitHub does', find: "if (digest === undefined || !isEqual(expected, Buffer.from(digest, 'hex'))) return", put: 'if (digest === undefined) return', named: ['another body is refused'] },
  { ...signature, id: 'signed just now', find: 'if (Math.abs(nowMs - Number(timestamp) * 1_000) > TOLERANCE_MS) return', put: 'if (nowMs < 0) return', named: ['signed too long ago', 'signed in the time to come'] },
  { ...signature, id: 'no key that anybody finds', find: 'key.length >= MIN_KEY_BYTES', put: 'key.length >= 0', named: ['the empty or short key that'] },
  { ...webhooks, id: 'pages of a browser', find: 'if (known.secret === null && headers.origin !== undefined) return', put: 'if (known.secret === undefined) return', named: ['whom it answers'] },
  { ...webhooks, id: 'names of another server', find: "if (!this.isOwnHost(one(headers, 'host') ?? '')) return", put: 'if (headers === null) return', named: ['whom it answers'] },
]
