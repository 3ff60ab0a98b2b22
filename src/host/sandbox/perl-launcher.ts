// Perl launcher: level 2, with nothing but the Perl that most systems carry: own namespaces, Landlock, the seccomp filter, then the program.
// Owns: the launcher's text and its arguments. Does not own: what is granted (layout.ts), the filter (seccomp.ts).
//   L1. The launcher runs in an environment of its own: the program's variables arrive under other names and get theirs at the last step,
//       so that none of them (PERL5OPT, LD_PRELOAD) can act before the sandbox stands.
//   L2. Each path is opened once, inside the new mount namespace, and compared by device and inode with what was granted; the rule is
//       made on that descriptor. Two processes of the launcher stay: one outside that reports the end, and the namespace's first process.
//   L3. Landlock can only allow: what lies hidden or read-only below an allowed folder (also below /tmp, which is the sandbox's own and writable)
//       is covered by a mount of its own, with the flags that the kernel holds fast kept.
//   L4. Anything that cannot be set up ends the launcher before the program starts (exit code 125, the reason on the status descriptor).
//   A line of the text may begin with the semicolon of the one before it: no file here ends its lines with one.
//   L5. Landlock hides contents, not names: a program can still learn whether a path outside exists. Level 3 hides that too.
//   L6. Where files of the real /etc are granted, it stays in its place, and of it those can be read and what the copy of it has by the same names.
import { foldersAbove } from './bubblewrap.ts'
import type { Architecture } from './seccomp.ts'
import type { Layout } from './layout.ts'
import type { LimitName } from './resource-limits.ts'
import { constants } from 'node:fs'
import type { SystemView } from './system-view.ts'

/** System calls' numbers: unshare mount prctl capset prlimit64 seccomp setsid openat. */
const numbers: Readonly<Record<Architecture, readonly number[]>> = { x64: [272, 165, 157, 126, 302, 317, 112, 257], arm64: [97, 40, 167, 91, 261, 277, 157, 56] }
const limitNumbers: Readonly<Record<LimitName, number>> = { cpu: 0, fsize: 1, data: 2, core: 4, nproc: 6, nofile: 7 }

/** Names under which the program's variables travel. */
export const ENV_PREFIX = 'TEK_ENV_'

const script = String.raw`
my(%o,@y,@p,@l)
;while(@ARGV){my $a=shift @ARGV;last if $a eq '--';my($k,$v)=split /=/,$a,2
; if($k eq 'y'){push @y,$v}elsif($k eq 'l'){push @l,[split /:/,$v]}elsif($k=~/^[rwh]$/){my($d,$i,$t,$path)=split /:/,$v,4;push @p,{a=>$k,d=>$d,i=>$i,t=>$t,path=>$path}}else{$o{$k}=$v}}
my($UNSHARE,$MOUNT,$PRCTL,$CAPSET,$PRLIMIT,$SECCOMP,$SETSID,$OPENAT)=map{$_+0}split /,/,$o{n}
;my $status;if($o{s}){open($status,'>&='.$o{s});select((select($status),$|=1)[0])}
sub fail{my $why="$_[0]: $!";print $status "{\"failed\":\"$why\"}\n" if $status;print STDERR "tek: the sandbox cannot be set up: $why\n" unless $status;exit 125}
sub sys{my($name,$number,@a)=@_;my $r=syscall($number,@a);fail($name) if $r==-1;$r}
sub put{open(my $h,'>',$_[0]) or fail($_[0]);print $h $_[1];close($h) or fail($_[0])}
sub pathfd{my $p=$_[0];syscall($OPENAT,-100,$p,$o{f}+0)}
sub folders{my $at='';for(split m{/},$_[0]){next if $_ eq '';$at.="/$_";mkdir $at,0755}}
sub mnt{my($what,$src,$dst,$type,$flags,$data)=@_;sys("$what $dst",$MOUNT,$src,$dst,$type,$flags,$data)}
$0='tek-sandbox';sub held{my $at=pathfd($_[0]);open(my $h,'<',"/proc/self/fdinfo/$at") or fail('fdinfo');my($id)=map{/^mnt_id:\s*(\d+)/?$1:()}<$h>;my %f=(nosuid=>2,nodev=>4,noexec=>8,noatime=>1024,nodiratime=>2048,relatime=>1<<21)
; open($h,'<','/proc/self/mountinfo') or fail('mountinfo');for(<$h>){my @w=split / /;next if $w[0]!=$id;my $f=0;$f|=$f{$_}||0 for split /,/,$w[5];return $f}fail('mountinfo')}
my $parent=$o{p}+0
;sys('prctl',$PRCTL,1,9,0,0,0);exit 125 if $parent&&getppid()!=$parent
;my($uid,$gid)=($>+0,$)+0)
;sys('new namespaces',$UNSHARE,0x7e020000)
;put('/proc/self/setgroups','deny');put('/proc/self/uid_map',"$uid $uid 1");put('/proc/self/gid_map',"$gid $gid 1")
;mnt('private mounts','none','/',0,0x44000,0)
;for my $p(@p){my $fd=pathfd($p->{path});next if $fd<0;my @s=stat("/proc/self/fd/$fd");$p->{fd}=$fd if @s&&$s[0]==$p->{d}&&$s[1]==$p->{i}&&readlink("/proc/self/fd/$fd") eq $p->{path}}
@p=grep{defined $_->{fd}}@p
;my $etc=pathfd($o{e})
;my $first=fork;fail('fork') unless defined $first
;if($first){
 print $status "{\"child-pid\":$first}\n" if $status
; waitpid($first,0);my $code=$?&127?128+($?&127):$?>>8;print $status "{\"exit-code\":$code}\n" if $status;exit $code
;}
sys('prctl',$PRCTL,1,9,0,0,0)
;mnt('mount','proc','/proc','proc',14,0)
;my $public=!grep{$_->{path}=~m{^/etc/}&&$_->{a} ne 'h'}@p;mnt('mount',"/proc/self/fd/$etc",'/etc',0,4096,0) if $public
;mnt('mount','tmpfs','/tmp','tmpfs',6,"size=$o{m},mode=755");mkdir '/tmp/home'
;mnt('mount','tmpfs','/dev/shm','tmpfs',6,"size=$o{m},mode=755") if -d '/dev/shm'
;my @hide=grep{$_->{a} eq 'h'}@p
;my @tops=grep{$_ ne ''}split m{:},$o{t}//'';for my $at(@tops){folders($at);mnt('mount','tmpfs',$at,'tmpfs',6,'size=64k,mode=755')}
;for my $p(@p){next unless $p->{path}=~m{^/(?:tmp|dev/shm)/}&&$p->{a} ne 'h';my $at=$p->{path}
; if($p->{t} eq 'd'){folders($at)}else{folders($at=~s{/[^/]*$}{}r);open(my $h,'>>',$at)}
 mnt('mount',"/proc/self/fd/$p->{fd}",$at,0,4096,0)
; mnt('read-only',"none",$at,0,4096|32|1|held($at),0) if $p->{a} eq 'r'}
for my $p(@p){next unless $p->{a} eq 'w'&&$p->{t} eq 'd';next if $p->{path}=~m{^/tmp/};my $inner=0;for my $q(@p){$inner=1 if $q->{a} eq 'w'&&$q->{path} ne $p->{path}&&index($p->{path},$q->{path}.'/')==0}next unless $inner
; mnt('mount',"/proc/self/fd/$p->{fd}",$p->{path},0,4096,0)}
for my $p(@p){next if $p->{path}=~m{^/tmp/};my $fd=pathfd($p->{path});my @s=$fd<0?():stat("/proc/self/fd/$fd");fail($p->{path}) unless @s&&$s[0]==$p->{d}&&$s[1]==$p->{i};$p->{fd}=$fd}
my @fixed=grep{my $p=$_;my $above;for my $q(@p){$above=$q if $p->{path} ne $q->{path}&&index($p->{path},($q->{path} eq '/'?'':$q->{path}).'/')==0}$p->{a} eq 'h'||($p->{a} eq 'r'&&$above&&$above->{a} ne 'r')}@p
;if(@fixed){mkdir '/tmp/.fixed';mnt('mount','tmpfs','/tmp/.fixed','tmpfs',6,"size=$o{m},mode=755");my $n=0
; for my $p(@fixed){next if $p->{t} eq 'd';my $copy="/tmp/.fixed/".$n++;$p->{copy}=$copy;open(my $to,'>',$copy) or fail($copy)
;  if($p->{a} eq 'r'){open(my $from,'<',"/proc/self/fd/$p->{fd}") or fail($p->{path});local $/=\65536;while(<$from>){print $to $_}}close $to}
 mnt('mount','tmpfs','/tmp/.fixed','tmpfs',39,"size=$o{m},mode=755")
; for my $p(@fixed){my $at=$p->{path}=~m{^/tmp/}?$p->{path}:"/proc/self/fd/$p->{fd}"
;  if($p->{t} eq 'd'){mnt('mount','tmpfs',$at,'tmpfs',7,'size=4k,mode=755')}else{mnt('mount',$p->{copy},$at,0,4096,0)}}}
if(socket(my $s,2,2,0)){my $up=pack('a16sx22','lo',0x41);ioctl($s,0x8914,$up)}
folders($o{c}) if $o{c}=~m{^/tmp/}
;mnt('mount','tmpfs',$_,'tmpfs',39,'size=64k,mode=755') for @tops
;my $program=fork;fail('fork') unless defined $program
;if($program){close STDIN;close STDOUT;close STDERR;close $status if $status;while((my $done=wait)!=-1){next if $done!=$program;exit($?&127?128+($?&127):$?>>8)}exit 125}
syscall($SETSID)
;for(@l){my($what,$most)=@$_;my $pair=pack('QQ',$most,$most);sys('limits',$PRLIMIT,0,$what+0,$pair,0)}
my $abi=syscall(444,0,0,1);fail('Landlock') if $abi<1
;my $all=(1<<13)-1;$all|=1<<13 if $abi>=2;$all|=1<<14 if $abi>=3;$all|=1<<15 if $abi>=5
;my $attr=pack('QQQ',$all,0,$abi>=6?3:0)
;my $rules=sys('Landlock',444,$attr,$abi>=6?24:$abi>=4?16:8,0)
;sub allow{my($fd,$bits)=@_;my $rule=pack('Ql',$bits&$all,$fd);syscall(445,$rules,1,$rule,0)}
my($READ,$WRITE)=(13,0xffff&~(1<<6)&~(1<<11)&~(1<<15))
;opendir(my $names,"/proc/self/fd/$etc") or fail('etc')
;my @etc=$public?('/etc'):('/etc/ssl/certs','/etc/ssl/openssl.cnf','/etc/pki/tls/certs',map{/^\.|^(?:ssl|pki)$/?():"/etc/$_"}readdir $names)
;for(@y,'/proc',@etc){my $fd=pathfd($_);allow($fd,-d "/proc/self/fd/$fd"?$READ:5) if $fd>=0}
for(qw(/dev/null /dev/zero /dev/full /dev/random /dev/urandom)){my $fd=pathfd($_);allow($fd,6|1<<14|1<<15) if $fd>=0}
for('/tmp','/dev/shm'){my $fd=pathfd($_);allow($fd,$WRITE) if $fd>=0}
for my $p(@p){next if $p->{a} eq 'h';my $b=$p->{a} eq 'w'?$WRITE:$READ;$b&=7|1<<14 unless $p->{t} eq 'd';my $rule=pack('Ql',$b&$all,$p->{fd});sys('Landlock',445,$rules,1,$rule,0)}
chdir $o{c} or fail($o{c})
;sys('prctl',$PRCTL,38,1,0,0,0)
;sys('Landlock',446,$rules,0)
;for(0..63){syscall($PRCTL,24,$_,0,0,0)}
my($head,$none)=(pack('Ll',0x20080522,0),pack('L6',0));sys('capabilities',$CAPSET,$head,$none)
;my %env;for(keys %ENV){$env{substr($_,8)}=$ENV{$_} if /^TEK_ENV_/}%ENV=%env
;syscall(436,$o{k}+1,0xffffffff,4) 
;my $filter=pack('H*',$o{b});my $prog=pack('Sx6P',length($filter)/8,$filter)
;sys('seccomp',$SECCOMP,1,0,$prog)
;exec{$ARGV[0]}@ARGV
;print STDERR "tek: $ARGV[0] cannot be started: $!\n";exit 126
;`.trim()

export interface PerlStart {
  readonly perl: string
  readonly architecture: Architecture
  readonly filter: Buffer
  readonly system: SystemView
  readonly layout: Layout
  readonly limits: readonly (readonly [LimitName, number])[]
  readonly cwd: string
  readonly temporaryBytes: number
  readonly program: string
  readonly args: readonly string[]
  /** Descriptors up to this one stay open in the program. */
  readonly keep: number
  /** Where the launcher reports, 0 for nowhere. */
  readonly statusFd: number
}

/** The launcher's own arguments. */
export function perlArguments(start: PerlStart): string[] {
  const { O_NOFOLLOW } = constants
  const O_PATH = 0o10000000
  const O_CLOEXEC = 0o2000000
  return [
    '-e', script,
    `n=${numbers[start.architecture].join(',')}`, `f=${O_PATH | O_NOFOLLOW | O_CLOEXEC}`, `p=${process.pid}`, `k=${start.keep}`, `s=${start.statusFd}`,
    `b=${start.filter.toString('hex')}`, `e=${start.system.etc}`, `m=${start.temporaryBytes}`, `t=${foldersAbove(start.layout, start.cwd).filter(path => !path.startsWith('/var/') && !path.includes(':')).join(':')}`, `c=${start.cwd}`,
    ...start.system.folders.map(path => `y=${path}`),
    ...start.limits.map(([name, most]) => `l=${limitNumbers[name]}:${Number.isFinite(most) ? most : '18446744073709551615'}`),
    ...start.layout.places.map(({ access, device, inode, isFolder, path }) => `${access === 'read' ? 'r' : access === 'write' ? 'w' : 'h'}=${device}:${inode}:${isFolder ? 'd' : 'f'}:${path}`),
    '--', start.program, ...start.args,
  ]
}

/** The environment of the launcher: the program's, under names that mean nothing (L1). */
export function travelling(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [`${ENV_PREFIX}${name}`, value]))
}
