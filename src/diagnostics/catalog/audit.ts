// Audit: what can be wrong with the audit log.
import { defineDiagnostics } from '../diagnostic.ts'

export const auditErrors = defineDiagnostics('audit', {
  broken: {
    severity: 'error',
    message: (p: { problems: number }) => `The audit log is not what tek wrote: ${p.problems === 1 ? 'one thing does' : `${p.problems} things do`} not fit.`,
    help: () => 'Keep `.tek/tek.db` as it is, and find out what could write there since the entries before were made.',
  },
  'no-log': {
    severity: 'error',
    message: () => 'There is no audit log in this folder.',
    help: () => 'The first `tek run` makes one. If one was here, `.tek/tek.db` was removed.',
  },
})
