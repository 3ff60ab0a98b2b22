// Deny network: loaded before anything else (`node --require`), it lets a process connect to its own machine and to nothing else, and writes
// down what was tried.
// Owns: sockets and look-ups of Node. Does not own: what other programs do (run.mjs takes the network away from those as well, where it can).
'use strict'
const { appendFileSync } = require('node:fs')
const dns = require('node:dns')
const dgram = require('node:dgram')
const net = require('node:net')

const log = process.env.TEK_OFFLINE_LOG
const loopback = new net.BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

const isHere = host => {
  const name = String(host).toLowerCase().replace(/\.$/, '')
  const family = net.isIP(name)
  return family === 0 ? name === '' || name === 'localhost' || name.endsWith('.localhost') : loopback.check(name, family === 6 ? 'ipv6' : 'ipv4')
}

function denied(what, code) {
  const where = new Error().stack.split('\n').slice(3).filter(line => !line.includes('node:')).slice(0, 4).map(line => line.trim()).join(' < ')
  if (log) appendFileSync(log, `${process.pid} ${what} ${process.argv.slice(1, 4).join(' ')} ${where}\n`)
  return Object.assign(new Error(`the network is denied: ${what}`), { code, syscall: what.split(' ')[0] })
}

const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (...args) {
  const given = Array.isArray(args[0]) ? args[0][0] : args[0]
  const options = typeof given === 'object' && given !== null ? given : { port: given, host: typeof args[1] === 'string' ? args[1] : 'localhost' }
  const host = options.host ?? 'localhost'
  // A name is refused when it is looked up: a test may bring its own look-up.
  if (options.path !== undefined || net.isIP(host) === 0 || isHere(host)) return connect.apply(this, args)
  const error = denied(`connect ${host}:${options.port}`, 'ENETUNREACH')
  process.nextTick(() => this.destroy(error))
  return this
}

const { lookup } = dns
dns.lookup = function (name, ...rest) {
  if (isHere(name) || net.isIP(name) !== 0) return lookup.call(this, name, ...rest)
  const error = denied(`lookup ${name}`, 'EAI_AGAIN')
  process.nextTick(rest.at(-1), error)
}
dns.promises.lookup = (lookup => (name, ...rest) => (isHere(name) || net.isIP(name) !== 0 ? lookup(name, ...rest) : Promise.reject(denied(`lookup ${name}`, 'EAI_AGAIN'))))(dns.promises.lookup)

const { send } = dgram.Socket.prototype
dgram.Socket.prototype.send = function (...args) {
  const host = args.findLast(each => typeof each === 'string' && net.isIP(each) !== 0)
  if (host === undefined || isHere(host)) return send.apply(this, args)
  throw denied(`send ${host}`, 'ENETUNREACH')
}
