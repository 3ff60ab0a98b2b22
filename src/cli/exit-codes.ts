// Exit codes: what a number says to the shell. Stable; documented in docs/cli.md.
export const exitCodes = {
  fine: 0,
  /** The program ran and failed, or a check asked for found something (`fmt --check`, `diff`). */
  failed: 1,
  usage: 2,
  doesNotCompile: 3,
  notPermitted: 4,
  /** Stopped by a limit or a kill switch. */
  stopped: 5,
  /** It waits for a person or a time, and no process is needed meanwhile; or a person paused it. */
  waits: 6,
  /** A bug in tek (EX_SOFTWARE of sysexits.h). */
  bug: 70,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
