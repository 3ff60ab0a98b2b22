// Fork guard: where tek runs as root, what starts processes without end is found before it has taken the machine.
// Owns: one helper for all commands of this process, and what it says. Does not own: the other bounds (tree-watch.ts).
//   K1. The kernel's own limit on processes does not hold for root, and a flood of processes leaves this process little of the processor: the
//       helper runs ahead of all others (SCHED_FIFO), looks every 10 ms and ends the first process of a sandbox that holds too many.
//   K2. It ends with this process, and keeps it from nothing. Where it cannot be had (no perl, no right to run ahead), the ordinary watch is left.
import { spawn, type ChildProcess } from 'node:child_process'
import { launcher } from './launchers.ts'

/** sched_setscheduler on x86-64 and arm64. */
const SET_SCHEDULER = process.arch === 'arm64' ? 119 : 144
const MAX_WATCHED = 10_000
const KEPT = 1_000

/** Lines in: `PID MOST`, or `PID` when it need not be watched any more. Lines out: `PID` of what was ended. */
const script = String.raw`
use integer;my $p=pack('i',1);syscall($ARGV[0]+0,0,1,$p);$|=1;my(%most,$rest);my $own=(stat '/proc')[0]
;for(;;){my $in='';vec($in,0,1)=1;my $n=select($in,undef,undef,%most?0.01:undef)
;if($n>0){my $got=sysread(STDIN,my $text,65536);exit if !$got;$rest.=$text
 ;while($rest=~s/^([^\n]*)\n//){my($pid,$most)=split / /,$1;if($most){$most{$pid}=$most}else{delete $most{$pid}}}}
;for my $pid(keys %most){my $dir="/proc/$pid/root/proc"
 ;my $dev=(stat $dir)[0];next if !defined $dev||$dev==$own;opendir(my $h,$dir) or next;my $count=grep{/^\d/}readdir $h;if($count>$most{$pid}){kill 9,$pid;delete $most{$pid};print "$pid\n"}}}
`.trim()

let helper: ChildProcess | null = null
let watched = 0
const ended = new Set<number>()
const waiting = new Map<number, () => void>()

/**
 * Watches a sandbox by the number of its first process outside.
 *
 * @returns stops watching; null where nothing need be or can be watched so.
 */
export function guardForks(firstProcess: number, mostProcesses: number): (() => void) | null {
  if (process.getuid?.() !== 0 || watched >= MAX_WATCHED) return null
  helper ??= start()
  if (helper === null) return null
  watched++
  tell(`${firstProcess} ${mostProcesses}`)
  return () => {
    watched--
    tell(`${firstProcess}`)
  }
}

/** Whether the guard ended a sandbox, once it has had `withinMs` to say so. */
export async function wasEndedByGuard(firstProcess: number, withinMs: number): Promise<boolean> {
  if (helper === null || ended.has(firstProcess)) return ended.delete(firstProcess)
  await new Promise<void>(done => {
    const timer = setTimeout(done, withinMs)
    waiting.set(firstProcess, () => {
      clearTimeout(timer)
      done()
    })
  })
  waiting.delete(firstProcess)
  return ended.delete(firstProcess)
}

function tell(line: string): void {
  helper?.stdin?.write(`${line}\n`)
}

function start(): ChildProcess | null {
  const perl = launcher('perl')
  if (perl === null) return null
  const child = spawn(perl, ['-e', script, String(SET_SCHEDULER)], { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] })
  const over = (): void => { if (helper === child) helper = null }
  child.on('error', over).on('exit', over)
  child.stdin.on('error', over)
  child.stdout.on('data', (chunk: Buffer) => {
    for (const pid of chunk.toString('latin1').split('\n').filter(line => line !== '').map(Number)) {
      ended.add(pid)
      waiting.get(pid)?.()
    }
    while (ended.size > KEPT) ended.delete(ended.values().next().value!)
  })
  child.unref() // K2
  for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as { unref(): void }).unref()
  return child
}
