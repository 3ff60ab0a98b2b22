// ONNX messages: what an `onnx` model and the process that runs it say to each other.
import type { ChatFailureCode, ChatReply, ChatRequest } from 'tek-lang/plugin'
import type { OnnxFolder } from './onnx-folder.ts'

/** What a process is begun with. */
export interface OnnxStart {
  readonly folder: OnnxFolder
  readonly threads: number
  readonly usesGpu: boolean
}

/** One at a time. */
export interface OnnxJob {
  readonly kind: 'ask' | 'count'
  readonly request: ChatRequest
}

export type OnnxAnswer =
  | { readonly kind: 'delta'; readonly text: string }
  | { readonly kind: 'reply'; readonly reply: ChatReply }
  | { readonly kind: 'counted'; readonly tokens: number }
  | { readonly kind: 'failure'; readonly code: ChatFailureCode; readonly message: string; readonly details?: string }
