// Providers: the models that need no plugin, by the names that programs know them by.
// Loaded with the first question of a run; each provider's library with the first question to it.
import type { ModelProvider } from 'tek-lang/plugin'
import { anthropic } from './anthropic.ts'
import { onnx } from './onnx.ts'
import { openai } from './openai.ts'

export const providers: Readonly<Record<string, ModelProvider>> = { anthropic, openai, onnx }
