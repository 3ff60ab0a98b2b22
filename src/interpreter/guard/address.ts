// Address: which network addresses a granted host may turn out to be.
// Owns: the special ranges. Does not own: look-up and dialling (host), grants of hosts (grants/).
//   A1. An address of a special range (this machine, private networks, link-local, reserved) is reached only when it is granted as itself,
//       or under a name that is plainly local: `localhost`, one without a dot, or one ending in `.local` `.internal` `.lan` `.home.arpa` `.localhost`.
//       So a public name that someone points at the machine's own network reaches nothing.
//   A2. Link-local addresses, and the others at which clouds hand out credentials, are reached only when granted as themselves.
import { BlockList, isIPv6 } from 'node:net'

const credentials = blockList([
  '169.254.0.0/16', 'fe80::/10',
  // Amazon by IPv6, Google by IPv6, Alibaba, Oracle, Azure: public or private ranges otherwise.
  'fd00:ec2::/32', 'fd20:ce::/32', '100.100.100.200/32', '192.0.0.192/32', '168.63.129.16/32',
])
const special = blockList([
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15',
  '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',
  '::/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', '5f00::/16', 'fc00::/7', 'fec0::/10', 'ff00::/8',
])
const localName = /^(?:[^.]+|.*\.(?:local|internal|lan|home\.arpa|localhost))$/

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [address = '', bits = ''] = subnet.split('/')
    list.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4')
  }
  return list
}

/**
 * Whether an address a name stands for is one that needs a grant of its own (A1, A2). An address given literally is its own name.
 */
export function needsOwnGrant(hostname: string, address: string): boolean {
  // A block list takes `::ffff:10.0.0.1` for 10.0.0.1, which it is.
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  if (credentials.check(address, family)) return true
  if (!special.check(address, family)) return false
  return hostname === address || !localName.test(hostname.toLowerCase().replace(/\.$/, ''))
}
