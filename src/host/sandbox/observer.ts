// Observer: starts a program inside the sandbox and tells what it and everything it starts tries: files opened, addresses connected to, names
// looked up, programs started. Its text is Perl, as level 2's launcher is, since Node cannot ask the kernel for a listener.
// Owns: the watching, what is made of it. Does not own: any decision: the sandbox around it stands as if nobody looked.
//   O1. Each call that is looked at goes on unchanged (seccomp_unotify(2), SECCOMP_USER_NOTIF_FLAG_CONTINUE). What a program passes may be changed by it
//       between our look and the kernel's: this is a record, not a boundary.
//   O2. Everything a program can make long is bounded: distinct attempts, text lengths, questions to name servers.
//   O3. A path that is not there for the program but is there on the machine was kept from it: that is a refusal. One that is nowhere is dropped.
//   O4. The program's HOME is the sandbox's own: what it looks for there is looked for in the person's home, and named `~/…`.
import { lstatSync } from 'node:fs'
import { homedir } from 'node:os'
import { normalize } from 'node:path'
import type { Attempted } from '../host.ts'

/** Bytes of the observer's report that are kept. */
export const MAX_REPORT_BYTES = 4_000_000
const MAX_TARGET_LENGTH = 1_000
/** As launch.ts names it. */
const OWN_HOME = '/tmp/home'

const script = String.raw`
use strict;
use warnings;
use POSIX ();

my $MAX_DISTINCT = 5_000;       # attempts told apart; more are counted together
my $MAX_TEXT_BYTES = 4_096;     # PATH_MAX
my $arch = (POSIX::uname())[4];
my %number = $arch eq 'x86_64'
  ? (seccomp => 317, pidfd_open => 434, pidfd_getfd => 438, open => 2, creat => 85, openat => 257, openat2 => 437, connect => 42, sendto => 44, sendmmsg => 307, execve => 59, execveat => 322,
     unlink => 87, unlinkat => 263, rename => 82, renameat => 264, renameat2 => 316, mkdir => 83, mkdirat => 258, rmdir => 84, link => 86, linkat => 265, symlink => 88, symlinkat => 266, truncate => 76,
     chmod => 90, fchmodat => 268, chown => 92, fchownat => 260, fork => 57, vfork => 58, clone => 56, prctl => 157)
  : (seccomp => 277, pidfd_open => 434, pidfd_getfd => 438, openat => 56, openat2 => 437, connect => 203, sendto => 206, sendmmsg => 269, execve => 221, execveat => 281,
     unlinkat => 35, renameat => 38, renameat2 => 276, mkdirat => 34, linkat => 37, symlinkat => 36, truncate => 45, fchmodat => 53, fchownat => 54, clone => 220, prctl => 167);
my $audit_arch = $arch eq 'x86_64' ? 0xC000003E : 0xC00000B7;
my @watched = grep { exists $number{$_} } qw(open creat openat openat2 connect sendto sendmmsg execve execveat unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir link linkat symlink symlinkat
  truncate chmod fchmodat chown fchownat fork vfork clone);
my %name_of = map { $number{$_} => $_ } @watched;

my ($report_fd, @command) = @ARGV;
open(my $report, '>&=', $report_fd) or die "observe: no descriptor $report_fd\n";

sub filter {
  my @code = (
    pack('SCCL', 0x20, 0, 0, 4),                         # the architecture
    pack('SCCL', 0x15, 1, 0, $audit_arch),
    pack('SCCL', 0x06, 0, 0, 0x7fff0000),                # another one: not looked at
    pack('SCCL', 0x20, 0, 0, 0),                         # the number of the call
  );
  push @code, pack('SCCL', 0x15, 0, 1, $number{pidfd_getfd}), pack('SCCL', 0x06, 0, 0, 0x00050001); # EPERM: only the observer takes descriptors
  my @numbers = sort { $a <=> $b } keys %name_of;
  my $left = @numbers;
  for my $each (@numbers) { push @code, pack('SCCL', 0x15, $left--, 0, $each) }
  push @code, pack('SCCL', 0x06, 0, 0, 0x7fff0000), pack('SCCL', 0x06, 0, 0, 0x7fc00000);
  return @code;
}

pipe(my $told, my $tell) or die "observe: $!\n";
pipe(my $wait, my $go) or die "observe: $!\n";
my $child = fork();
die "observe: $!\n" unless defined $child;
if ($child == 0) {
  close $report; close $told; close $go;
  POSIX::close($_) for grep { $_ != fileno($tell) && $_ != fileno($wait) } 3 .. 63;
  syscall($number{prctl}, 38, 1, 0, 0, 0);               # PR_SET_NO_NEW_PRIVS
  my @code = filter();
  my $code = join '', @code;
  my $program = pack('S x6 P', scalar(@code), $code);
  my $listener = syscall($number{seccomp}, 1, 8, $program); # SECCOMP_SET_MODE_FILTER, NEW_LISTENER
  my $why = $!;
  syswrite $tell, $listener < 0 ? "failed $why\n" : "$listener\n";
  POSIX::_exit(125) if $listener < 0;
  sysread $wait, my $byte, 1;                            # until the parent holds the listener
  close $wait; close $tell;
  $^F = 2;
  { no warnings; exec { $command[0] } @command; }
  my $code_of_exec = $!{ENOENT} ? 127 : 126;
  POSIX::_exit($code_of_exec);
}
close $tell; close $wait;
my $line = <$told> // '';
die "observe: the kernel does not let a program be observed: $line" unless $line =~ /^(\d+)$/;
my $pidfd = syscall($number{pidfd_open}, $child, 0);
my $listener = syscall($number{pidfd_getfd}, $pidfd, $1 + 0, 0);
die "observe: the listener cannot be taken: $!\n" if $listener < 0;
open(my $notices, '+<&=', $listener) or die "observe: $!\n";
POSIX::close($pidfd);
syswrite $report, qq({"observing":true}\n);
syswrite $go, 'g'; close $go;

my %seen;
my $distinct = 0;

sub bytes_at { my ($mem, $address, $length) = @_;
  return '' if $address == 0 || !sysseek($mem, $address, 0);
  my $data;
  return defined sysread($mem, $data, $length) ? $data : "" }
sub text_at { my ($mem, $address) = @_;
  my $text = '';
  while (length $text < $MAX_TEXT_BYTES) {               # a page at a time: the next one may not be there
    my $part = bytes_at($mem, $address + length $text, 256 - (($address + length $text) % 256));
    return $text if $part eq '';
    my $end = index $part, "\0";
    return $text . substr($part, 0, $end) if $end >= 0;
    $text .= $part;
  }
  return $text }
sub path_from { my ($pid, $mem, $folder, $address) = @_;
  my $path = text_at($mem, $address);
  return $path if $path eq '' || substr($path, 0, 1) eq '/';
  my $base = readlink($folder == 0xffffff9c || $folder == -100 ? "/proc/$pid/cwd" : "/proc/$pid/fd/$folder") // '?';
  return "$base/$path" }
sub low { my $value = $_[0] & 0xffffffff; return $value }

sub note { my ($action, $target, $verdict) = @_;
  $target = substr($target, 0, 1_000);
  my $key = "$action\0$target\0$verdict";
  if (!exists $seen{$key} && $distinct >= $MAX_DISTINCT) { $key = "$action\0(more)\0$verdict" }
  tell_of($key, 0) if !exists $seen{$key} && ++$distinct;  # at once: a program that is killed takes the observer with it
  $seen{$key}++ }

sub may { my ($path, $writes) = @_;                       # as the sandbox would answer: the observer is inside it
  my $flags = $writes ? POSIX::O_WRONLY() : POSIX::O_RDONLY();
  if (-d $path) { return $writes && !can_make($path) ? 'no' : 'yes' }
  return 'yes' if -p $path || -S $path || -c $path;      # opening these could wait or act
  my $fd = POSIX::open($path, $flags | 04000);
  if (defined $fd) { POSIX::close($fd); return 'yes' }
  return 'no' unless $!{ENOENT};
  return 'missing' unless $writes;
  (my $folder = $path) =~ s{/[^/]*$}{};
  return can_make($folder || '/') ? 'yes' : 'no' }
# Perl's -w looks at modes alone: neither a read-only mount nor Landlock shows in it. A file without a name (O_TMPFILE) is refused by both, and leaves nothing.
sub can_make { my ($folder) = @_;
  return 0 unless POSIX::access($folder, POSIX::W_OK());
  my $fd = POSIX::open($folder, POSIX::O_WRONLY() | 020000000 | ($arch eq 'x86_64' ? 0200000 : 040000), 0600);
  if (defined $fd) { POSIX::close($fd); return 1 }
  return !($!{EROFS} || $!{EACCES} || $!{EPERM}) }

sub question { my ($data) = @_;                           # the name in a DNS query (RFC 1035, 4.1)
  return undef if length $data < 17;
  my ($flags, $count) = unpack 'x2 n n', $data;
  return undef if $flags & 0x8000 || $count != 1;
  my ($at, @labels) = (12);
  for (1 .. 127) {
    my $size = unpack 'C', substr($data, $at, 1) || return undef;
    last if $size == 0;
    return undef if $size > 63 || $at + $size >= length $data;
    push @labels, substr $data, $at + 1, $size;
    $at += $size + 1;
  }
  return @labels ? join('.', @labels) : undef }
sub address { my ($raw) = @_;
  return undef if length $raw < 2;
  my $family = unpack 'S', $raw;
  if ($family == 2 && length $raw >= 8) { my ($port, @ip) = unpack 'x2 n C4', $raw; return join('.', @ip) . ":$port" }
  if ($family == 10 && length $raw >= 24) { my ($port, @ip) = unpack 'x2 n x4 n8', $raw; return '[' . join(':', map { sprintf '%x', $_ } @ip) . "]:$port" }
  if ($family == 1) { my $path = substr $raw, 2; $path =~ s/^\0/@/; $path =~ s/\0.*//s; return "unix:$path" }
  return undef }

sub look { my ($pid, $nr, @arg) = @_;
  my $call = $name_of{$nr} // return;
  if ($call eq 'fork' || $call eq 'vfork' || $call eq 'clone') {
    note('fork', 'process', 'yes') unless $call eq 'clone' && $arg[0] & 0x10000;   # CLONE_THREAD
    return;
  }
  open(my $mem, '<:raw', "/proc/$pid/mem") or return;
  if ($call eq 'connect') { my $target = address(bytes_at($mem, $arg[1], low($arg[2]) > 128 ? 128 : low($arg[2]))); note('connect', $target, 'ask') if defined $target }
  elsif ($call eq 'sendto') {
    my $name = question(bytes_at($mem, $arg[1], low($arg[2]) > 512 ? 512 : low($arg[2])));
    note('lookup', $name, 'ask') if defined $name;
    my $target = $arg[4] == 0 ? undef : address(bytes_at($mem, $arg[4], low($arg[5]) > 128 ? 128 : low($arg[5])));
    note('connect', $target, 'ask') if defined $target;
  }
  elsif ($call eq 'sendmmsg') {
    for my $index (0 .. (low($arg[2]) > 4 ? 3 : low($arg[2]) - 1)) {
      my ($iov) = unpack 'x16 Q', bytes_at($mem, $arg[1] + 64 * $index, 24);
      next unless $iov;
      my ($base, $length) = unpack 'QQ', bytes_at($mem, $iov, 16);
      my $name = question(bytes_at($mem, $base // 0, ($length // 0) > 512 ? 512 : $length // 0));
      note('lookup', $name, 'ask') if defined $name;
    }
  }
  elsif ($call eq 'execve' || $call eq 'execveat') {
    my $path = $call eq 'execve' ? path_from($pid, $mem, -100, $arg[0]) : path_from($pid, $mem, low($arg[0]), $arg[1]);
    note('start', $path, -x $path && !-d $path ? 'yes' : -e $path ? 'no' : 'missing');
  }
  elsif ($call =~ /^(?:open|creat|openat|openat2)$/) {
    my ($folder, $at, $flags) = $call eq 'open' ? (-100, $arg[0], low($arg[1])) : $call eq 'creat' ? (-100, $arg[0], 01101)
      : $call eq 'openat' ? (low($arg[0]), $arg[1], low($arg[2])) : (low($arg[0]), $arg[1], unpack('Q', bytes_at($mem, $arg[2], 8)) // 0);
    my $path = path_from($pid, $mem, $folder, $at);
    my $writes = ($flags & 3) != 0 || $flags & (0100 | 01000);
    note($writes ? 'write' : 'read', $path, may($path, $writes)) if $path ne '';
  }
  else {                                                  # changes of names and rights
    my $is_at = $call =~ /at2?$/;
    my $path = $is_at ? path_from($pid, $mem, low($arg[$call eq 'symlinkat' ? 1 : 0]), $arg[$call eq 'symlinkat' ? 2 : 1]) : path_from($pid, $mem, -100, $arg[$call eq 'symlink' ? 1 : 0]);
    note('write', $path, may($path, 1)) if $path ne '';
  }
}

sub json { my ($text) = @_;
  $text =~ s/([\x00-\x1f\x7f-\xff"\\])/sprintf '\\u%04x', ord $1/ge;
  return qq("$text") }
sub tell_of { my ($key, $times) = @_;
  my ($action, $target, $verdict) = split /\0/, $key, 3;
  syswrite $report, '{"action":' . json($action) . ',"target":' . json($target) . ',"verdict":' . json($verdict) . ',"times":' . $times . "}\n" }

my $status;
$SIG{TERM} = $SIG{INT} = sub { kill 'TERM', $child };
my $mask = '';
vec($mask, $listener, 1) = 1;
while (1) {
  if (!defined $status && waitpid($child, POSIX::WNOHANG()) == $child) { $status = $?; last }
  next unless select(my $ready = $mask, undef, undef, 0.02) > 0;
  my $notice = "\0" x 80;
  my $got = ioctl($notices, 0xc0502100, $notice);         # SECCOMP_IOCTL_NOTIF_RECV; a caller that is gone is no error
  next unless $got;
  my ($id, $pid, $flags, $nr, $of, $ip, @arg) = unpack 'Q L L l L Q q6', $notice;
  eval { look($pid, $nr, @arg) };
  my $answer = pack 'Q q l L', $id, 0, 0, 1;              # SECCOMP_USER_NOTIF_FLAG_CONTINUE
  ioctl($notices, 0xc0182101, $answer);
}
tell_of($_, $seen{$_}) for sort keys %seen;
close $report;
my $signal = $status & 127;
if ($signal) { $SIG{$_} = 'DEFAULT' for qw(TERM INT); kill $signal, $$; POSIX::_exit(128 + $signal) }
POSIX::_exit($status >> 8);
`.trim()

/** The arguments of Perl that start `program` observed; the report goes to descriptor `reportFd`, which the program does not get. */
export function observerArguments(program: string, args: readonly string[], reportFd: number): string[] {
  return ['-e', script, String(reportFd), program, ...args]
}

interface Line {
  readonly action: 'read' | 'write' | 'connect' | 'lookup' | 'start' | 'fork'
  readonly target: string
  readonly verdict: 'yes' | 'no' | 'missing' | 'ask'
  readonly times: number
}

/**
 * What a program tried, from the observer's report; null when it could not be observed.
 *
 * @param report lines of JSON, perhaps cut off: a program that is ended takes the observer with it.
 * @param granted places that were granted: what lies in the sandbox's own /tmp and not in one of these is gone afterwards.
 */
export function attemptsIn(report: string, granted: readonly string[]): Attempted[] | null {
  const lines = report.split('\n').flatMap(parsed)
  if (!report.startsWith('{"observing":true}')) return null
  const found = new Map<string, Attempted>()
  for (const line of lines) {
    const attempt = attemptOf(line, granted)
    if (attempt === null) continue
    const key = `${attempt.action}\0${attempt.target}\0${attempt.allowed}`
    // A first sight is told at once with 0 times, and again with their number at the end.
    found.set(key, { ...attempt, times: Math.max(1, attempt.times, found.get(key)?.times ?? 0) })
  }
  return [...found.values()]
}

function parsed(line: string): Line[] {
  try {
    const value = JSON.parse(line) as Partial<Line>
    return typeof value.action === 'string' && typeof value.target === 'string' && typeof value.verdict === 'string' && typeof value.times === 'number' ? [value as Line] : []
  } catch {
    return [] // cut off
  }
}

function attemptOf({ action, target, verdict, times }: Line, granted: readonly string[]): Attempted | null {
  if (action === 'fork') return null
  if (action === 'lookup') return { action: 'look-up', target: target.slice(0, MAX_TARGET_LENGTH), allowed: false, times }
  if (action === 'connect') return target.startsWith('unix:') || isNameServer(target) ? null : { action, target, allowed: isLoopback(target), times }
  const path = normalize(target)
  const isHome = path === OWN_HOME || path.startsWith(`${OWN_HOME}/`)
  const shown = (isHome ? `~${path.slice(OWN_HOME.length)}` : path).slice(0, MAX_TARGET_LENGTH)
  const isPrivate = isHome || (/^\/(?:tmp|var\/tmp|dev\/shm)\//.test(path) && !granted.some(place => path === place || path.startsWith(`${place}/`)))
  if (verdict !== 'missing') return { action, target: shown, allowed: verdict === 'yes', times, ...(isPrivate ? { isPrivate } : {}) }
  const outside = isHome ? `${homedir()}${path.slice(OWN_HOME.length)}` : path
  return exists(outside) ? { action, target: shown, allowed: false, times } : null // O3, O4
}

/** Questions to name servers are told as the names they ask for. */
const isNameServer = (address: string): boolean => address.endsWith(':53')

/** The sandbox's own: nobody else listens there. */
const isLoopback = (address: string): boolean => /^127\.|^\[(?:0:){7}1\]/.test(address)

function exists(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}
