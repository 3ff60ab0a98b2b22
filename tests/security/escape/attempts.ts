// Attempts: what a command may try to get out of its sandbox, and what is known to become of it at each level.
// Owns: the commands, the expectations, the words for docs/levels.md. Does not own: the running (runner.ts), the page (page.ts).
//   A1. An attempt has succeeded when its command prints GOT, or when what it was to do outside has been done (`checks`).
//   A2. `open` is said where a level does not stop it. The test fails in both directions: the table can neither flatter nor lag behind.

export type Expected = 'stopped' | 'open'

export interface Attempt {
  readonly id: string
  /** What is tried, in the words of the table. */
  readonly what: string
  readonly group: 'files' | 'processes' | 'network' | 'kernel' | 'control files' | 'bounds'
  /** Script for /bin/sh, or for perl where it begins with `#perl`. Variables of `Scene` stand as $NAME. */
  readonly script: string
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  /** What must be so outside afterwards for the attempt to have succeeded. */
  readonly checks?: 'outside-changed' | 'victim-dead' | 'daemon-lives' | 'port-reached' | 'hook-made' | 'permits-made' | 'config-changed' | 'ended-for'
  readonly level2: Expected
  readonly level3: Expected
  /** What stops it: at level 2, at level 3 (one word for both where it is the same). */
  readonly by: string | readonly [string, string]
  /** Not tried without a sandbox: it would harm the machine, or needs what only some machines have. */
  readonly onlyConfined?: boolean
  readonly bound?: 'memory' | 'processes' | 'cpu'
}

/** errno of a system call that a filter refuses (EPERM, ENOSYS, EAFNOSUPPORT) against any other answer. */
const call = (x64: number, arm64: number, args = ''): string =>
  `#perl my $n = qx(uname -m) =~ /aarch64/ ? ${arm64} : ${x64}; my $r = syscall($n${args === '' ? '' : `, ${args}`}); print "GOT" unless $r == -1 && ($! == 1 || $! == 38 || $! == 97);`

const files: Attempt[] = [
  { id: 'key', what: 'reads a file outside (a private key)', script: 'cat $OUTSIDE/secret', by: ['Landlock', 'mount namespace'] },
  { id: 'list', what: 'lists a folder outside', script: 'ls $OUTSIDE && echo GOT', by: ['Landlock', 'mount namespace'] },
  { id: 'exists', what: 'learns whether a file outside exists', script: 'test -e $OUTSIDE/secret && echo GOT', level2: 'open', by: 'mount namespace' },
  { id: 'shadow', what: 'reads /etc/shadow', script: 'head -c 1 /etc/shadow && echo GOT', by: 'an /etc of its own', onlyConfined: true },
  { id: 'dots', what: 'goes up with `..`', script: 'cat in/../../outside/secret', by: ['Landlock', 'mount namespace'] },
  { id: 'link-made', what: 'makes a link that leads out', script: 'ln -s $OUTSIDE/secret out/link && cat out/link', by: ['Landlock', 'mount namespace'] },
  { id: 'link-found', what: 'follows a link that lies in a granted folder', script: 'cat in/link', by: ['Landlock', 'mount namespace'] },
  { id: 'hard-link', what: 'makes a hard link to a file outside', script: 'ln $OUTSIDE/secret out/hard && cat out/hard', by: ['Landlock', 'mount namespace'] },
  { id: 'write', what: 'writes outside', script: 'echo changed > $OUTSIDE/written', checks: 'outside-changed', by: ['Landlock', 'mount namespace'] },
  { id: 'write-read-only', what: 'writes to a folder granted for reading', script: 'echo changed > in/new && echo GOT', by: ['Landlock', 'read-only mount'] },
  { id: 'proc-root', what: 'goes through /proc/1/root', script: 'cat /proc/1/root$OUTSIDE/secret', by: ['Landlock', 'process namespace'], onlyConfined: true },
  { id: 'proc-cwd', what: 'goes through /proc/PID/cwd of another process', script: 'cat /proc/$VICTIM/cwd/../outside/secret', by: 'process namespace' },
  { id: 'descriptors', what: 'reads from a descriptor that tek inherited', script: '#perl for my $fd (3 .. 200) { if (open(my $h, "<", "/proc/self/fd/$fd")) { print <$h> } }', by: ['closed by the launcher', 'replaced by /dev/null'] },
  { id: 'memory-device', what: 'reads /dev/mem, /dev/kmem or a disk', script: 'for d in /dev/mem /dev/kmem /dev/sda /dev/vda /dev/nvme0n1; do head -c 1 $d >/dev/null 2>&1 && echo GOT; done', by: ['Landlock', 'a /dev of its own'], onlyConfined: true },
  { id: 'make-device', what: 'makes a device file for a disk', script: 'mknod out/disk b 8 0 && echo GOT', by: 'no capabilities', onlyConfined: true },
  { id: 'kcore', what: 'reads /proc/kcore', script: 'head -c 1 /proc/kcore >/dev/null && echo GOT', by: ['Landlock', 'no capabilities'], onlyConfined: true },
  { id: 'core-pattern', what: 'opens /proc/sys/kernel/core_pattern to write', script: ': >> /proc/sys/kernel/core_pattern && echo GOT', by: ['Landlock', 'read-only mount'], onlyConfined: true },
  { id: 'sysrq', what: 'opens /proc/sysrq-trigger to write', script: ': >> /proc/sysrq-trigger && echo GOT', by: ['Landlock', 'read-only mount'], onlyConfined: true },
  { id: 'sys', what: 'reads the machine\'s /sys', script: 'cat /sys/kernel/mm/transparent_hugepage/enabled && echo GOT; ls /sys/class/net && echo GOT', by: ['Landlock', 'not mounted'], onlyConfined: true },
].map(each => ({ group: 'files', level2: 'stopped', level3: 'stopped', ...each }) as Attempt)

const processes: Attempt[] = [
  { id: 'environment', what: 'reads the environment of tek', script: 'cat /proc/*/environ 2>/dev/null; cat /proc/$TEK/environ', by: 'process namespace' },
  { id: 'signal', what: 'ends a process outside', script: 'kill -9 $VICTIM', checks: 'victim-dead', by: 'process namespace' },
  { id: 'ptrace', what: 'traces a process (ptrace)', script: call(101, 117, '0, 0, 0, 0'), by: 'seccomp' },
  { id: 'vm-read', what: 'reads the memory of a process (process_vm_readv)', script: call(310, 270, '$$, 0, 0, 0, 0, 0'), by: 'seccomp' },
  { id: 'daemon', what: 'leaves a daemon behind (double fork, own session)', script: '(setsid sh -c "sleep $DAEMON & sleep $DAEMON" >/dev/null 2>&1 </dev/null &); sleep 0.1', checks: 'daemon-lives', by: 'process namespace' },
  { id: 'set-uid', what: 'gains rights from a set-uid program', script: 'grep -q "NoNewPrivs:.0" /proc/self/status && echo GOT', by: 'no new privileges' },
  { id: 'capabilities', what: 'holds capabilities, or could gain them', script: 'grep -E "Cap(Eff|Prm|Bnd):.*[1-9a-f]" /proc/self/status && echo GOT', by: 'no capabilities', onlyConfined: true },
  { id: 'preload', what: 'has its own code loaded by the launcher (PERL5OPT)', script: '#perl 1', env: { PERL5OPT: '-Mevil', PERL5LIB: '$WORK/in' }, checks: 'outside-changed', by: 'empty environment of the launcher' },
  { id: 'terminal', what: 'types into tek\'s terminal (TIOCSTI)', script: '#perl my $c = "x"; my $r = ioctl(STDIN, 0x5412, $c); print "GOT" unless $! == 1', by: 'seccomp' },
  { id: 'tty', what: 'opens the controlling terminal', script: ': </dev/tty && echo GOT', by: ['Landlock', 'a session of its own'], onlyConfined: true },
].map(each => ({ group: 'processes', level2: 'stopped', level3: 'stopped', ...each }) as Attempt)

const connect = (family: string, address: string): string => `#perl my $s; (socket($s, ${family}, 1, 0) && connect($s, ${address})) and print "GOT"`

const network: Attempt[] = [
  { id: 'loopback', what: 'connects to a server on this machine (127.0.0.1)', script: connect('2', 'pack("Sna4x8", 2, $TCP, pack("C4", 127, 0, 0, 1))'), by: 'network namespace' },
  { id: 'udp', what: 'sends a datagram to this machine', script: '#perl my $s; socket($s, 2, 2, 0) and send($s, "reached", 0, pack("Sna4x8", 2, $UDP, pack("C4", 127, 0, 0, 1))); select(undef, undef, undef, 0.05)', checks: 'port-reached', by: 'network namespace' },
  { id: 'interfaces', what: 'sees a network card', script: 'tail -n +3 /proc/net/dev | grep -v "^ *lo:" && echo GOT', by: 'network namespace', onlyConfined: true },
  { id: 'abstract', what: 'connects to an abstract Unix socket', script: connect('1', 'pack("Sa*", 1, "\\0$ABSTRACT")'), by: ['seccomp', 'network namespace'] },
  { id: 'unix', what: 'connects to a Unix socket outside', script: connect('1', 'pack("Sa*", 1, "$OUTSIDE/socket\\0")'), by: ['seccomp', 'mount namespace'] },
  { id: 'unix-inside', what: 'connects to a Unix socket that lies in a granted folder', script: connect('1', 'pack("Sa*", 1, "$WORK/in/socket\\0")'), level3: 'open', by: 'seccomp' },
  { id: 'raw', what: 'opens a raw socket', script: '#perl my $s; socket($s, 2, 3, 1) and print "GOT"', by: 'no capabilities', onlyConfined: true },
  { id: 'vsock', what: 'opens a socket to the host of a virtual machine', script: '#perl my $s; socket($s, 40, 1, 0) and print "GOT"; print "GOT" unless $! == 97', by: 'seccomp', onlyConfined: true },
  { id: 'kernel-crypto', what: 'opens a socket to the kernel\'s cryptography', script: '#perl my $s; socket($s, 38, 5, 0) and print "GOT"', by: 'seccomp', onlyConfined: true },
].map(each => ({ group: 'network', level2: 'stopped', level3: 'stopped', ...each }) as Attempt)

const kernel: Attempt[] = [
  { id: 'mount', what: 'mounts something', script: '#perl my @a = ("tmpfs", "$WORK/out", "tmpfs"); my $n = qx(uname -m) =~ /aarch64/ ? 40 : 165; print "GOT" if syscall($n, $a[0], $a[1], $a[2], 0, 0) == 0', onlyConfined: true },
  { id: 'unmount', what: 'takes away what covers a hidden folder', script: 'umount out/.tek || umount -l out/.tek; cat out/.tek/state' },
  { id: 'chroot', what: 'changes its root (chroot)', script: '#perl chroot("$WORK/in") and print "GOT"' },
  { id: 'user-namespace', what: 'makes a user namespace (unshare)', script: 'unshare -U true && echo GOT' },
  { id: 'clone-namespace', what: 'makes a user namespace (clone)', script: '#perl my $n = qx(uname -m) =~ /aarch64/ ? 220 : 56; my $r = syscall($n, 0x10000000 | 17, 0, 0, 0, 0); if ($r == 0) { exit } print "GOT" if $r > 0' },
  { id: 'enter-namespace', what: 'enters another namespace (setns)', script: call(308, 268, '0, 0') },
  { id: 'bpf', what: 'loads a program into the kernel (bpf)', script: call(321, 280, '0, 0, 0'), onlyConfined: true },
  { id: 'perf', what: 'measures the machine (perf_event_open)', script: call(298, 241, '0, 0, -1, -1, 0'), onlyConfined: true },
  { id: 'userfaultfd', what: 'takes over page faults (userfaultfd)', script: call(323, 282, '0'), onlyConfined: true },
  { id: 'io-uring', what: 'calls the kernel past the filter (io_uring)', script: call(425, 425, '1, 0'), onlyConfined: true },
  { id: 'keys', what: 'reads the kernel\'s key ring (keyctl)', script: call(250, 219, '0, -3, 0'), onlyConfined: true },
  { id: 'module', what: 'loads a kernel module', script: call(313, 273, '-1, 0, 0'), onlyConfined: true },
  { id: 'kexec', what: 'loads another kernel', script: call(320, 294, '-1, -1, 0, 0, 0'), onlyConfined: true },
  { id: 'clock', what: 'sets the clock', script: call(164, 170, '0, 0'), onlyConfined: true },
  { id: 'memory-file', what: 'makes a file that lies in memory only (memfd)', script: '#perl my $name = "x"; my $n = qx(uname -m) =~ /aarch64/ ? 279 : 319; my $r = syscall($n, $name, 0); print "GOT" if $r >= 0' },
].map(each => ({ group: 'kernel', level2: 'stopped', level3: 'stopped', by: 'seccomp', ...each }) as Attempt)

const control: Attempt[] = [
  { id: 'permits', what: 'writes its own permit (tek.permits.yaml)', script: 'printf "version: 1\\n" > out/tek.permits.yaml; mv in/evil.pm out/tek.permits.yaml', checks: 'permits-made', by: 'the name is held' },
  { id: 'state', what: 'reads tek\'s state (.tek)', script: 'cat out/.tek/state', by: ['covered by an empty folder', 'covered by an empty folder'] },
  { id: 'hook', what: 'writes a git hook', script: 'echo changed > out/.git/hooks/pre-commit', checks: 'hook-made', by: ['covered by an empty folder', 'read-only mount'] },
  { id: 'git-config', what: 'changes .git/config', script: 'echo changed >> out/.git/config', checks: 'config-changed', by: ['covered by an empty file', 'covered by an empty file'] },
  { id: 'git-moved', what: 'moves .git away and makes another', script: 'mv out/.git out/old; mkdir -p out/.git/hooks; echo changed > out/.git/hooks/pre-commit; echo changed > out/.git/config', checks: 'hook-made', by: 'each folder above is a mount' },
].map(each => ({ group: 'control files', level2: 'stopped', level3: 'stopped', ...each }) as Attempt)

const bounds: Attempt[] = [
  { id: 'fork-bomb', what: 'starts processes without end', script: 'bomb() { bomb | bomb & }; bomb; sleep 20', checks: 'ended-for', bound: 'processes', by: 'watch of the process namespace', onlyConfined: true },
  { id: 'memory', what: 'takes memory without end', script: '#perl my @a; push @a, "x" x 1_000_000 while 1', checks: 'ended-for', bound: 'memory', by: 'watch of the process namespace', onlyConfined: true },
  { id: 'memory-children', what: 'takes memory in many processes', script: 'for i in 1 2 3 4 5 6 7 8; do perl -e \'my $a = "x" x 40_000_000; sleep 20\' & done; wait', checks: 'ended-for', bound: 'memory', by: 'watch of the process namespace', onlyConfined: true },
  { id: 'cpu', what: 'computes without end, in two processes', script: '(while :; do :; done) & while :; do :; done', checks: 'ended-for', bound: 'cpu', by: 'watch of the process namespace', onlyConfined: true },
  { id: 'large-file', what: 'writes a file without end', script: 'head -c 9000000 /dev/zero > out/large; [ $(wc -c < out/large) -gt 8388608 ] && echo GOT', by: 'limit on the size of a file', onlyConfined: true },
  { id: 'temporary', what: 'fills memory through /tmp', script: 'for i in $(seq 30); do head -c 8000000 /dev/zero > /tmp/f$i || exit; done; echo GOT', by: 'size of /tmp', onlyConfined: true },
  { id: 'many-files', what: 'fills the disk with many files in a folder it may write', script: 'for i in 1 2 3; do head -c 4000000 /dev/zero > out/f$i; done; cat out/f1 out/f2 out/f3 | wc -c | grep -q 12000000 && echo GOT', level2: 'open', level3: 'open', by: '', onlyConfined: true },
].map(each => ({ group: 'bounds', level2: 'stopped', level3: 'stopped', ...each }) as Attempt)

export const attempts: readonly Attempt[] = [...files, ...processes, ...network, ...kernel, ...control, ...bounds]
