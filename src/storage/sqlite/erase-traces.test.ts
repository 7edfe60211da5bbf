// What was deleted is in the file, its log and the text index until traces are erased; then it is in none of them.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteEngine, type SqliteEngine } from './engine.ts';
import { eraseTraces } from './erase-traces.ts';

const NAME = 'zqxjkvbname';
let data_dir: string;
let engine: SqliteEngine;
beforeEach(async () => {
  data_dir = mkdtempSync(join(tmpdir(), 'haivemind-traces-'));
  engine = await openSqliteEngine({ data_dir, synchronous: 'NORMAL' });
  const { raw } = engine;
  raw.exec('begin');
  for (let i = 0; i < 200; i++) {
    raw.prepare('insert into leases values (?, ?, 1, 1)').run(`lease ${i}`, i % 2 ? `${NAME} ${i}` : `other ${i}`);
    raw.prepare('insert into memory_fts (rowid, body, extra) values (?, ?, ?)').run(i + 1, i % 2 ? NAME : 'other', '');
  }
  raw.exec('commit');
  raw.exec(
    `begin; delete from leases where holder like '${NAME}%'; delete from memory_fts where rowid % 2 = 0; commit`,
  );
});
afterEach(async () => {
  await engine.close();
  rmSync(data_dir, { recursive: true, force: true });
});

const filesWith = (text: string) =>
  readdirSync(data_dir).filter((file) => readFileSync(join(data_dir, file)).includes(text));

test('deleted text is gone from every file, and what stays is found', async () => {
  expect(filesWith(NAME)).not.toEqual([]);
  expect(await engine.eraseTraces()).toEqual({ clean: true, left: '' });
  expect(filesWith(NAME)).toEqual([]);
  const { raw } = engine;
  expect(raw.prepare('select count(*) as n from leases').get()).toEqual({ n: 100 });
  expect(raw.prepare("select count(*) as n from memory_fts where memory_fts match 'other'").get()).toEqual({ n: 100 });
});

test('where others keep the store busy, it says what is left', async () => {
  engine.raw.exec('begin immediate');
  try {
    const report = await eraseTraces(engine.file, 50);
    expect(report.clean).toBe(false);
    expect(report.left).toMatch(/text index.*free pages.*busy/);
  } finally {
    engine.raw.exec('rollback');
  }
  expect(await eraseTraces(engine.file)).toEqual({ clean: true, left: '' });
});
