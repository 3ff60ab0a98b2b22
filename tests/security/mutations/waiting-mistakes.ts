// Mistakes in what waits, asks and begins by itself.
import { family, missed, type Mutation } from './mutation.ts'

export const waitingMistakes: readonly Mutation[] = [
  ...family('trigger', [
    ['releases', '"0 3 * * MON-FRI"', '"0 24 * * MON-FRI"', 'trigger/bad-cron'],
    ['releases', '"0 3 * * MON-FRI"', '"0 3 * MON-FRI"', 'trigger/bad-cron'],
    ['releases', '"0 3 * * MON-FRI"', '"0 3 31 2 *"', 'trigger/bad-cron'],
    ['releases', '"0 3 * * MON-FRI"', '"0 15 * * MON-FRI"', missed('another time is as good a time')],
    ['releases', '"Europe/Berlin"', '"Europe/Berln"', 'trigger/unknown-zone'],
    ['releases', ' in "Europe/Berlin"', '', missed('without a zone the clock is UTC')],
    ['releases', 'cron "0 3', 'every 100ms\n  cron "0 3', 'trigger/bad-interval'],
    ['releases', 'missed skip', 'missed run', 'syntax/expected-token'],
    ['releases', 'on file "${root}/**/*.md"', 'on file "**/*.md"', 'trigger/not-covered'],
    ['releases', 'on file "${root}/**/*.md"', 'on flie "${root}/**/*.md"', 'syntax/expected-token'],
    ['releases', 'changed: path[] = []', 'changed: path[]', 'trigger/missing-value'],
    ['releases', 'root: path = "notes"', 'root: path', 'trigger/*'],
    ['releases', ' signed hookKey', '', 'trigger/unsigned-webhook'],
    ['releases', ' signed hookKey', ' signed hookkey', 'trigger/unknown-secret'],
    ['releases', '"releases/ready"', '"/releases/ready"', 'trigger/bad-webhook'],
    ['releases', '  on file "${root}', '  on webhook "releases/ready"\n  on file "${root}', 'trigger/bad-webhook'],
    ['releases', ', env("HOOK_KEY")\n', '\n', 'capability/not-granted'],
  ]),
  ...family('what outsiders choose', [
    ['releases', 'branch: untrusted string', 'branch: string', 'trigger/trusted-parameter'],
    ['releases', 'Push ${branch} to', 'Push to', 'trust/untrusted-reaches-sink'],
    ['releases', ' approve "Push ${branch} to ${channel}?" within 2h escalate "the release manager" within 1h', '', 'trust/untrusted-reaches-sink'],
    ['releases', 'out: path = "dist"', 'out: path', 'trigger/missing-value'],
    ['releases', 'Push ${branch} to ${channel}?', 'Push ${branch}?', missed('what is shown beside what is approved is the writer\'s to say')],
  ]),
  ...family('deadline or wait', [
    ['releases', 'within 2h', 'within 0h', 'task/bad-approve'],
    ['releases', 'within 2h', 'within 2MB', 'task/bad-approve'],
    ['releases', 'within 2h ', '', 'syntax/expected-token'],
    ['releases', '"the release manager"', '""', 'task/bad-approve'],
    ['releases', 'escalate "the release manager" within 1h', 'escalate "the release manager"', 'syntax/expected-token'],
    ['releases', 'const settle = 10m', 'const settle = 10MB', 'task/bad-wait'],
    ['releases', 'const settle = 10m', 'const settle = 400d', 'task/bad-wait'],
    ['releases', 'wait settle', 'wait until settle', 'task/bad-wait'],
    ['releases', 'wait settle', 'wait setle', 'name/unknown-value'],
    ['releases', 'const settle = 10m', 'const settle = 10h', missed('a longer wait is as good a wait')],
    ['releases', 'if pushed == null then null else pushed.ok', 'pushed.ok', 'type/may-be-null'],
  ]),
]
