// Schema: the tables of `.tek/tek.db` and the steps from each version to the next.
//   V1. `user_version` is the number of steps taken; a step once released is never changed.

const noChange = (table: string, change: string): string => `create trigger ${table}_no_${change} before ${change} on ${table} begin select raise(abort, 'append-only'); end`
/** Also keeps `insert or replace` from taking a row's place, which fires no other trigger. */
const onlyAfter = (table: string): string =>
  `create trigger ${table}_only_after before insert on ${table} when new.seq <= (select max(seq) from ${table}) begin select raise(abort, 'append-only'); end`

/** The audit log, as `tek audit verify` expects to find it. Never changed: a later step that must change it makes a list of its own. */
export const auditTables: readonly string[] = [
  'create table identity (id text not null) strict', // names the database in signatures and in what is remembered elsewhere
  'create table audit (seq integer primary key, run text not null, body text not null, hash text not null) strict',
  'create table audit_marks (seq integer primary key, hash text not null, key text not null, signature text not null) strict',
  noChange('identity', 'update'), noChange('identity', 'delete'),
  noChange('audit', 'update'), noChange('audit', 'delete'), onlyAfter('audit'),
  noChange('audit_marks', 'update'), noChange('audit_marks', 'delete'),
]

/** Each step is a list of statements. */
export const migrations: readonly (readonly string[])[] = [
  [
    'create table plans (hash text primary key, json text not null) without rowid',
    `create table runs (
      id text primary key, program text not null, workflow text not null, plan_hash text not null, status text not null,
      started_ms real not null, summary text not null
    ) without rowid`,
    'create index runs_by_start on runs (started_ms)',
    `create table events (
      run text not null, seq integer not null, count integer not null, base_ms real not null, packed text not null, primary key (run, seq)
    ) without rowid`,
    'create table blobs (hash text primary key, json text not null) without rowid',
    'create table cache (key text primary key, json text not null, created_ms real not null) without rowid',
    'create index cache_by_age on cache (created_ms)',
    'create table durations (program text not null, key text not null, total_ms real not null, count integer not null, primary key (program, key)) without rowid',
  ],
  [ // who drives a run, who wants it stopped, where its program's plugins are
    'alter table runs add column folder text',
    'alter table runs add column lease_owner text',
    'alter table runs add column lease_pid integer',
    'alter table runs add column lease_host text',
    'alter table runs add column lease_boot text',
    'alter table runs add column lease_expires_ms real',
    'alter table runs add column stop_asked_ms real',
    'create index runs_by_lease on runs (lease_owner) where lease_owner is not null',
  ],
  [ // the audit log; when the driver began and when it saw the request to stop, for those who end it
    ...auditTables,
    'insert into identity (id) values (lower(hex(randomblob(16))))',
    'alter table runs add column lease_since text',
    'alter table runs add column stop_seen_ms real',
    'alter table runs add column audit_from integer', // the last entry before the run began: an index over all entries would cost each of them
  ],
  [ // what the tools of a run said
    'create table lines (run text not null, seq integer not null, at_ms real not null, level text not null, task text not null, message text not null, primary key (run, seq)) without rowid',
  ],
  [ // what is asked of runs from outside; when a run that waits is to be woken
    'create table requests (id integer primary key autoincrement, run text not null, at_ms real not null, body text not null) strict',
    'create index requests_by_run on requests (run)',
    'alter table runs add column wake_ms real',
    'alter table runs add column sources text', // hashes of the files that the program was made of
    ...['plans', 'runs', 'events', 'cache'].map(table => `alter table ${table} add column sum integer`), // sqlite-sum.ts; null in what is older
    'create index runs_by_wake on runs (wake_ms) where wake_ms is not null',
    `create index runs_unfinished on runs (started_ms) where status not in ('done', 'failed')`,
    // what `tek serve` keeps: who serves, what each trigger has handled, the runs that are owed, what was announced
    'create table server (id integer primary key check (id = 1), owner text not null, pid integer not null, host text not null, boot text not null, since text not null, expires_ms real not null) strict',
    'create table triggers (key text primary key, state text not null) without rowid',
    'create table watched (trigger text not null, path text not null, mark text not null, primary key (trigger, path)) without rowid',
    `create table firings (
      id integer primary key autoincrement, trigger text not null, delivery text, run text not null unique, at_ms real not null, args text not null, state text not null, tries integer not null
    ) strict`,
    'create unique index firings_by_delivery on firings (trigger, delivery) where delivery is not null',
    'create index firings_by_trigger on firings (trigger, id)',
    `create index firings_open on firings (id) where state in ('due', 'begun')`,
    'create table announced (key text primary key, at_ms real not null) without rowid',
    // what agents remember under a name, whichever run it is from
    'create table thread_entries (seq integer primary key autoincrement, thread text not null, key text not null, at_ms real not null, untrusted integer not null, body text not null, sum integer not null, unique (thread, key)) strict',
    'create index thread_entries_by_thread on thread_entries (thread, seq)',
    // loops: who drives each, how far it got; its cycles (kept: 1 its run is to be kept for long, 0 it may go, 2 it went), champions, decisions
    `create table loops (
      key text primary key, program text not null, name text not null, series text, champion integer not null default 0, next_version integer not null default 1, cycle integer not null default 0, intent text,
      owner text, pid integer, host text, boot text, since text, expires_ms real, stop_asked_ms real
    ) without rowid`,
    'create table loop_cycles (loop text not null, cycle integer not null, run text not null unique, at_ms real not null, kept integer not null, summary text, primary key (loop, cycle)) without rowid',
    'create index loop_cycles_to_forget on loop_cycles (loop, cycle) where kept < 2',
    'create index loop_cycles_open on loop_cycles (loop, cycle) where summary is null',
    `create table loop_versions (
      loop text not null, version integer not null, parent integer not null, run text not null, cycle integer not null, at_ms real not null, candidate text not null, score real not null, content text,
      primary key (loop, version), unique (loop, run)
    ) without rowid`,
    `create table loop_decisions (
      id integer primary key autoincrement, loop text not null, cycle integer not null, at_ms real not null, stage text not null, outcome text not null, rationale text not null, confidence real, who text not null
    ) strict`,
    'create index loop_decisions_by_loop on loop_decisions (loop, id)',
  ],
]
