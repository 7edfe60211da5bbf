// The command that moves a store: whom it refuses, and what it prints.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refusalOf } from '../../../../test/support/open-app.ts';
import type { CliContext } from '../contract.ts';
import { hubFile } from '../hub-file.ts';
import type { MoveDone, MovePlan, MoveReport, MoveRequest } from '../move.ts';
import { runMigrateStore } from './migrate-store.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'haivemind-migrate-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const LEFT_OUT = [{ table: 'leases', rows: 1, reason: 'who does what' }];
const DONE: MoveDone = {
  type: 'done',
  from: 'a.db',
  to: 'host:5432/db',
  memories: 2,
  tables: [{ table: 'memories', rows: 3, hash: 'abc' }],
  left_out: LEFT_OUT,
  notes: ['a note'],
  resumed: true,
  kept: 'schema before',
};
const PLAN: MovePlan = {
  type: 'plan',
  from: 'a.db',
  to: 'host:5432/db',
  tables: [{ table: 'memories', rows: 3 }],
  left_out: LEFT_OUT,
  notes: [],
  target: 'used',
  unfinished: true,
};

/** Runs the command with a store that is moved by `moved`; resolves with what it wrote. */
async function run(flags: Parameters<typeof runMigrateStore>[0], moved: (request: MoveRequest) => Promise<MoveReport>) {
  let stdout = '';
  const stream = (write: (text: string) => void) => ({ write, isTTY: false, columns: 80 });
  const io = {
    env: { HAIVEMIND_DATA_DIR: join(directory, 'own'), HAIVEMIND_MACHINE_ID: 'm1' },
    cwd: directory,
    stdout: stream((text) => {
      stdout += text;
    }),
    stderr: stream(() => {}),
    signal: new AbortController().signal,
  };
  const ctx = { io, entryPath: '', version: '0', moveStore: (_: unknown, request: MoveRequest) => moved(request) };
  const code = await runMigrateStore(
    { from: 'sqlite:a', to: 'postgres://h/db', ...flags },
    ctx as unknown as CliContext,
  );
  return { code, stdout };
}

/** A process that answers as the hub of the directory does. */
async function withHub(use: () => Promise<void>): Promise<void> {
  const server = createServer((_, response) => response.end('{"hub_id":"h1"}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hub = {
    pid: process.pid,
    url,
    socket: '',
    version: '0',
    machine_id: 'm1',
    started_at: '2026-01-01',
    hub_id: 'h1',
    owner_key: 'k1',
    store: directory,
  };
  writeFileSync(hubFile(directory), JSON.stringify(hub));
  try {
    await use();
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('a directory that a hub serves is refused at either end, at the source unless asked for', async () => {
  const guarded = (end: 'from' | 'to') => async (request: MoveRequest) => {
    await request.guard(end, directory);
    return DONE;
  };
  await withHub(async () => {
    for (const end of ['from', 'to'] as const)
      expect(await refusalOf(run({}, guarded(end)))).toMatchObject({
        code: 'conflict',
        details: { pid: process.pid },
      });
    expect(await refusalOf(run({ online: true }, guarded('to')))).toMatchObject({ code: 'conflict' });
    expect(await run({ online: true }, guarded('from'))).toMatchObject({ code: 0 });
  });
  expect(await run({}, guarded('from'))).toMatchObject({ code: 0 });
});

test('the result names every table, what was left out, and where the earlier store is', async () => {
  const { stdout } = await run({}, async () => DONE);
  for (const words of ['2 memories moved from a.db to host:5432/db', 'an earlier run continued', 'schema before'])
    expect(stdout).toContain(words);
  expect(stdout).toContain('memories\t3\tabc');
  expect(stdout).toContain('left out: leases\t1\twho does what');
  expect(stdout).toContain('note: a note');
});

test.each([
  ['postgres://user@host/db', 'set HAIVEMIND_DATABASE_URL or storage.postgres for every process'],
  ['sqlite:./data', 'set HAIVEMIND_DATA_DIR or storage.data_dir'],
])('the result says what to do next where the target is %s', async (to, words) => {
  const { stdout } = await run({ to }, async () => DONE);
  for (const text of [words, 'haivemind reindex', 'The source stays as it is']) expect(stdout).toContain(text);
});

test('a dry run says what would happen', async () => {
  let asked: MoveRequest | undefined;
  const { stdout } = await run({ dryRun: true, restart: true }, async (request) => {
    asked = request;
    return PLAN;
  });
  expect(asked).toMatchObject({
    dry_run: true,
    restart: true,
    from: 'sqlite:a',
    to: 'postgres://h/db',
    cwd: directory,
  });
  expect(stdout).toMatch(/^Would move a\.db .*would be refused.*unfinished copy/);
  expect(stdout).toContain('memories\t3');
});

test('with --json progress and result are lines', async () => {
  const { stdout } = await run({ json: true }, async ({ onEvent }) => {
    onEvent({ type: 'progress', phase: 'copy', table: 'memories', rows: 1, of: 3 });
    return DONE;
  });
  const lines = stdout.trim().split('\n');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ type: 'progress', rows: 1, of: 3 });
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual(DONE);
});
