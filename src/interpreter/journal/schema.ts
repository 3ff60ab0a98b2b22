// Schema: the tables of `.tek/tek.db` and the steps from each version to the next.
//   V1. `user_version` is the number of steps taken; a step once released is never changed.

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
]
