// Seccomp: the system calls a confined program may not make, as a filter in the kernel's own form (classic BPF, struct sock_filter).
// Owns: the list, the numbers for x86-64 and arm64, the bytes. Does not own: who loads them (bubblewrap.ts, perl-launcher.ts).
//   F1. A call by another architecture's numbers (i386, x32) ends the program: the list would not fit them.
//   F2. What is not listed is allowed: the filter narrows the kernel's surface; files, processes and network are held by namespaces and Landlock.
//   F3. `clone3` hides its flags from a filter, so it answers "not implemented" and programs fall back to `clone`, whose flags are seen.
//   F4. Sockets: this machine's own loopback inside an empty network namespace, and, where other programs' sockets cannot be seen as files
//       (level 3), Unix sockets. Every other family is refused. Pairs of connected sockets are always allowed: they lead nowhere else.

/** Name: number on x86-64, number on arm64 (null: has none). */
const calls: Readonly<Record<string, readonly [number | null, number | null]>> = {
  // other processes
  ptrace: [101, 117], process_vm_readv: [310, 270], process_vm_writev: [311, 271], pidfd_getfd: [438, 438], kcmp: [312, 272], process_madvise: [440, 440],
  // mounts and namespaces
  mount: [165, 40], umount2: [166, 39], pivot_root: [155, 41], chroot: [161, 51], open_tree: [428, 428], move_mount: [429, 429], fsopen: [430, 430], fsconfig: [431, 431],
  fsmount: [432, 432], fspick: [433, 433], mount_setattr: [442, 442], unshare: [272, 97], setns: [308, 268], open_by_handle_at: [304, 265], name_to_handle_at: [303, 264],
  // keys, the kernel itself, its rarely used and often broken parts
  add_key: [248, 217], request_key: [249, 218], keyctl: [250, 219], bpf: [321, 280], perf_event_open: [298, 241], userfaultfd: [323, 282],
  io_uring_setup: [425, 425], io_uring_enter: [426, 426], io_uring_register: [427, 427], kexec_load: [246, 104], kexec_file_load: [320, 294],
  init_module: [175, 105], finit_module: [313, 273], delete_module: [176, 106], reboot: [169, 142], swapon: [167, 224], swapoff: [168, 225], acct: [163, 89],
  quotactl: [179, 60], quotactl_fd: [443, 443], iopl: [172, null], ioperm: [173, null], syslog: [103, 116], sethostname: [170, 161], setdomainname: [171, 162],
  settimeofday: [164, 170], clock_settime: [227, 112], clock_adjtime: [305, 266], adjtimex: [159, 171], lookup_dcookie: [212, 18], personality: [135, 92],
  vhangup: [153, 58], fanotify_init: [300, 262], move_pages: [279, 239], migrate_pages: [256, 238], mbind: [237, 235], set_mempolicy: [238, 237],
  // memory that no process's size shows
  memfd_secret: [447, 447], shmget: [29, 194],
}
const memfdCreate: readonly [number, number] = [319, 279]
const clone3 = 435
const clone: readonly [number, number] = [56, 220]
const ioctl: readonly [number, number] = [16, 29]
const socket: readonly [number, number] = [41, 198]

export type Architecture = 'x64' | 'arm64'

export const seccompArchitecture = (): Architecture | null => (process.arch === 'x64' || process.arch === 'arm64' ? process.arch : null)

const AUDIT_ARCH: Readonly<Record<Architecture, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 }
const X32_BIT = 0x40000000
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NEW_NAMESPACES = 0x7e020000
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c
const EPERM = 1
const ENOSYS = 38
const EAFNOSUPPORT = 97
const AF_UNIX = 1
const AF_INET = 2
const AF_INET6 = 10
const AF_NETLINK = 16
const NETLINK_ROUTE = 0

const LOAD = 0x20 // BPF_LD | BPF_W | BPF_ABS
const IF_EQUAL = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
const IF_AT_LEAST = 0x35 // BPF_JMP | BPF_JGE | BPF_K
const IF_ANY_BIT = 0x45 // BPF_JMP | BPF_JSET | BPF_K
const RETURN = 0x06
const ALLOW = 0x7fff0000
const KILL = 0x80000000
const errno = (code: number): number => 0x00050000 | code
const NUMBER = 0
const ARCHITECTURE = 4
/** Offset of the low half of an argument; both architectures are little-endian. */
const argument = (index: number): number => 16 + 8 * index

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number]

/**
 * The filter's bytes.
 *
 * @param options.unixSockets whether Unix sockets may be made (F4).
 * @param options.observed leaves `pidfd_getfd` to the observer, which takes it from the program itself (observer.ts).
 * @see Documentation/userspace-api/seccomp_filter.rst of the Linux kernel
 * @example
 * seccompFilter('x64', { unixSockets: true }).length % 8 // 0
 */
export function seccompFilter(architecture: Architecture, options: { readonly unixSockets: boolean; readonly observed?: boolean }): Buffer {
  const at = architecture === 'x64' ? 0 : 1
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE], [IF_EQUAL, 1, 0, AUDIT_ARCH[architecture]], [RETURN, 0, 0, KILL], // F1
    [LOAD, 0, 0, NUMBER],
  ]
  if (architecture === 'x64') program.push([IF_AT_LEAST, 0, 1, X32_BIT], [RETURN, 0, 0, KILL])
  for (const [name, numbers] of Object.entries(calls)) {
    const number = options.observed && name === 'pidfd_getfd' ? null : numbers[at]
    if (number !== null && number !== undefined) program.push(...answerTo(number, EPERM))
  }
  program.push(...answerTo(clone3, ENOSYS), ...answerTo(memfdCreate[at]!, ENOSYS)) // F3
  program.push(...whenCall(clone[at]!, [[LOAD, 0, 0, argument(0)], [IF_ANY_BIT, 0, 1, NEW_NAMESPACES], [RETURN, 0, 0, errno(EPERM)]]))
  program.push(...whenCall(ioctl[at]!, [
    [LOAD, 0, 0, argument(1)], [IF_EQUAL, 1, 0, TIOCSTI], [IF_EQUAL, 0, 1, TIOCLINUX], [RETURN, 0, 0, errno(EPERM)],
  ]))
  const families = [AF_INET, AF_INET6, ...(options.unixSockets ? [AF_UNIX] : [])]
  program.push(...whenCall(socket[at]!, [ // F4
    [LOAD, 0, 0, argument(0)],
    ...families.flatMap((family): Instruction[] => [[IF_EQUAL, 0, 1, family], [RETURN, 0, 0, ALLOW]]),
    [IF_EQUAL, 0, 3, AF_NETLINK], [LOAD, 0, 0, argument(2)], [IF_EQUAL, 0, 1, NETLINK_ROUTE], [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, errno(EAFNOSUPPORT)],
  ]))
  program.push([RETURN, 0, 0, ALLOW]) // F2
  const bytes = Buffer.alloc(program.length * 8)
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(ifTrue, index * 8 + 2)
    bytes.writeUInt8(ifFalse, index * 8 + 3)
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4)
  }
  return bytes
}

function answerTo(number: number, code: number): Instruction[] {
  return [[IF_EQUAL, 0, 1, number], [RETURN, 0, 0, errno(code)]]
}

/** `body` for one call; whoever falls out of it is allowed. */
function whenCall(number: number, body: readonly Instruction[]): Instruction[] {
  return [[IF_EQUAL, 0, body.length + 1, number], ...body, [RETURN, 0, 0, ALLOW]]
}
