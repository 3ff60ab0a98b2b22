// The published entry `tek-lang/plugin`: everything a plugin may import from tek.
export { z } from 'zod'
export { definePlugin, pluginApiVersion, pure, reads, writes } from './define-plugin.ts'
export type { GrantDefinition, InputOf, InputShape, Plugin, PluginDefinition, PureTool, Tool, WorldTool } from './define-plugin.ts'
export { ToolFailure } from './context.ts'
export type { FetchOptions, FetchResult, RunOptions, RunResult, ToolContext, ToolFiles, TriedAction } from './context.ts'
export { t } from './schemas.ts'
