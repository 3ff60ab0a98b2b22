// The published entry `tek-lang/testing`: what a plugin's or a program's own tests may use.
export { memoryHost, type MemoryHost, type MemoryHostOptions } from './memory-host.ts'
export { MemoryFiles } from './memory-files.ts'
export { invokePure, invokeTool } from '#plugin-api/invoke.ts'
export { signatureOf, type SignatureProblem } from '#plugin-api/signature-of.ts'
export { compareDiagnostics, readCases, type ExpectationCase, type ExpectedDiagnostic } from './expect-diagnostics.ts'
export { serveModels, type ModelAnswer, type ModelServer, type ModelServerOptions, type RouteAnswer } from './model-server.ts'
export type { ModelRequest, ModelWords } from './model-dialects.ts'
