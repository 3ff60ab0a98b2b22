// After death: what bubblewrap leaves when tek is killed while a sandbox is being set up.
// Owns: one helper for all commands of this process, which ends those. Does not own: what ends with tek by itself: a sandbox that stands (`--die-with-parent`).
//   A1. Bubblewrap asks to end with its parent some time after it began, and its inner half only once the outer one has let it go on. Killed in
//       between, one of them would wait for ever. The helper wakes up when this process is gone (its input ends), and looks twice.
//   A2. It ends what is bubblewrap and has a file of this process's own open (anonymous-file.ts): nobody else has one.
//   A3. It is in a session of its own, so that what ends a terminal's processes does not end it first, and goes with this process where nothing is being set up.
import { spawn, type ChildProcess } from 'node:child_process'
import { ownFileMark } from './anonymous-file.ts'
import { launcher } from './launchers.ts'

/** Seconds before each look: the second is for what was only just beginning at the first. */
const LOOKS = '0 0.2'

/** `$1`: the mark in the names of this process's files. */
const script = `exec 2>/dev/null; read -r _; for wait in ${LOOKS}; do sleep $wait; for at in /proc/[0-9]*; do
name=; read -r name <$at/comm; [ "$name" = bwrap ] || continue
case "$(ls -l $at/fd)" in *"$1"*) kill -9 "\${at#/proc/}";; esac
done; done`

let helper: ChildProcess | null = null
let underWay = 0

/** Sees to it that a sandbox set up from now on does not outlive this process; to be told when it has ended. */
export function endAfterDeath(): () => void {
  underWay++
  helper ??= start()
  let isOver = false
  return () => {
    if (!isOver) underWay--
    isOver = true
  }
}

function start(): ChildProcess | null {
  const shell = launcher('sh')
  if (shell === null) return null
  const child = spawn(shell, ['-c', script, 'sh', ownFileMark()], { env: { PATH: '/usr/bin:/bin' }, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  const over = (): void => { if (helper === child) helper = null }
  child.on('error', over).on('exit', over)
  child.stdin.on('error', over)
  process.once('exit', () => { if (underWay === 0) child.kill('SIGKILL') }) // A3
  child.unref()
  ;(child.stdin as unknown as { unref(): void }).unref()
  return child
}
