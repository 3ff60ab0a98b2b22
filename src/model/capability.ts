// Capability: grants, as declared by plugins, asked for by programs, and checked by the guard.

/** How a grant's argument is compared: what it may hold and how containment between two patterns is decided. */
export type GrantParamKind =
  /** A file glob: literal segments, `*` and `?` inside a segment, `**` for any number of segments. Relative to the program's working directory. */
  | 'path'
  /** `host:port`, `*.example.com:443`, or a named set such as `registry:npm`. */
  | 'host'
  /** A literal word, compared exactly; `*` stands for any. */
  | 'name'
  /** The rest of the arguments are patterns over argv tokens; `**` last stands for any rest. None given = no argument allowed. */
  | 'argv'

export interface GrantSignature {
  /** Without the module: `read` for `fs.read`. */
  readonly name: string
  readonly doc: string
  readonly params: readonly { readonly name: string; readonly kind: GrantParamKind; readonly optional?: boolean }[]
  /** What the plugin's own code may do under cover of this grant, shown in `tek plan`: `exec("git", "log", "**")`. */
  readonly implies: readonly Grant[]
  readonly access: 'read' | 'write'
}

/** A grant with known arguments: `{ name: 'fs.read', args: ['src/**'] }`. */
export interface Grant {
  readonly name: string
  readonly args: readonly string[]
}

/** What an action may do: any of these grants. No grant, no action. */
export type Authority = readonly Grant[]

/** A grant that a run asks to be allowed. */
export interface AskedGrant {
  readonly grant: Grant
  /** For one that comes with a plugin's grant (`GrantSignature.implies`): that grant's name. */
  readonly comesWith: string | null
  /** Of a server of tools: the command line or address behind its name. */
  readonly shows?: string
}

/** What the person who runs a program allowed, and where that is written. */
export interface Permit {
  readonly grants: Authority
  readonly by: 'file' | 'flag' | 'question' | 'bundled'
}
