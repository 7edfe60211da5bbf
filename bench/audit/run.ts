// How long verifying an audit log of many rows takes, whether others get their turn meanwhile, and what an append costs.
// Run: node bench/audit/run.ts [--rows 1000000] [--appends 2000]
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { CHAIN_START, digestOf, hashOf, newSalt, subjectIdOf } from '../../src/domains/audit/chain.ts';
import { type AuditTables, createAudit } from '../../src/domains/audit/index.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { summarise } from '../speed/stats.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, appends: { type: 'string', default: '2000' } },
});

const SUBJECTS = 50;
const ROWS_A_COMMIT = 20_000;

/** Rows as an append makes them, put in by the hundred thousand: appending a million would take an hour of fsyncs. */
function fill(file: string, rows: number): void {
  const raw = new DatabaseSync(file);
  const subjects = Array.from({ length: SUBJECTS }, (_, i) => {
    const [salt, names] = [newSalt(), { user_id: `user${i}`, agent_id: 'claude-code', machine_id: `machine${i % 5}` }];
    return { salt, ...names, subject_id: subjectIdOf(salt, names) };
  });
  const subject = raw.prepare(
    'insert into audit_subjects (subject_id, salt, user_id, agent_id, machine_id) values (?, ?, ?, ?, ?)',
  );
  for (const { subject_id, salt, user_id, agent_id, machine_id } of subjects)
    subject.run(subject_id, salt, user_id, agent_id, machine_id);
  const log = raw.prepare('insert into audit_log values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const said = raw.prepare('insert into audit_details values (?, ?, ?)');
  let previous_hash = CHAIN_START;
  raw.exec('begin');
  for (let seq = 1; seq <= rows; seq++) {
    const salt = newSalt();
    const details = JSON.stringify({
      key: 'DATABASE_PASSWORD',
      version: seq % 9,
      reason: `deployment ${seq} of the billing service`,
    });
    const row = {
      seq,
      at: new Date(1_700_000_000_000 + seq * 1_000).toISOString(),
      subject_id: subjects[seq % SUBJECTS]?.subject_id ?? '',
      action: 'vault.retrieve',
      target_type: 'vault',
      target_id: `vlt_01j8x3m5k7n9p1r3t5v7x9z1${seq % 90}`,
      result: 'ok',
      details_digest: digestOf(salt, details),
      previous_hash,
    } as const;
    const hash = hashOf(row);
    const { at, subject_id, action, target_type, target_id, result, details_digest } = row;
    log.run(seq, at, subject_id, action, target_type, target_id, result, details_digest, previous_hash, hash);
    said.run(seq, salt, details);
    previous_hash = hash;
    if (seq % ROWS_A_COMMIT === 0) raw.exec('commit; begin');
  }
  raw.prepare('update audit_head set seq = ?, hash = ?').run(rows, previous_hash);
  raw.exec('commit');
  raw.close();
}

async function main(rows: number, appends: number): Promise<void> {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-bench-audit-'));
  try {
    const opened = await openDatabase({ data_dir, machine_id: 'bench', synchronous: 'FULL' });
    const store = opened.withTables<AuditTables>();
    const audit = createAudit(store);
    const begun_ms = performance.now();
    fill(join(data_dir, 'haivemind.db'), rows);
    print(`${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, SQLite with synchronous=FULL`);
    print(`made ${rows} rows in ${seconds(performance.now() - begun_ms)}`);

    const anchor = await audit.anchor();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const before_bytes = process.memoryUsage().heapUsed;
    const started_ms = performance.now();
    const report = await audit.verify({ anchor });
    const took_ms = performance.now() - started_ms;
    delay.disable();
    if (!report.ok || report.rows !== rows) throw new Error(`Verification failed: ${JSON.stringify(report)}`);
    print(`verified ${rows} rows in ${seconds(took_ms)}: ${Math.round(rows / (took_ms / 1_000))} rows/s`);
    const [p50, p99, max] = [delay.percentile(50), delay.percentile(99), delay.max].map((ns) => (ns / 1e6).toFixed(1));
    print(`event loop meanwhile: held for ${p50} ms (median), ${p99} ms (99 %), ${max} ms (longest)`);
    const grown_mib = (process.memoryUsage().heapUsed - before_bytes) / 2 ** 20;
    print(`heap: ${grown_mib.toFixed(0)} MiB more than before (the file itself is mapped into memory)`);

    const actor = { user_id: 'user1', agent_id: 'claude-code', machine_id: 'machine1' };
    const entry = { action: 'a.b', target_type: 'vault', target_id: 'vlt_1', result: 'ok', reason: 'bench' } as const;
    const each: number[] = [];
    const from_ms = performance.now();
    for (let i = 0; i < appends; i++) {
      const at_ms = performance.now();
      await audit.record(actor, entry);
      each.push(performance.now() - at_ms);
    }
    const { p50_ms, p95_ms, per_second } = summarise(each, performance.now() - from_ms);
    print(
      `append, alone, with its own commit: ${p50_ms.toFixed(2)} ms (median), ${p95_ms.toFixed(2)} ms (95 %), ${Math.round(per_second)}/s`,
    );
    const together_ms = performance.now();
    await Promise.all(Array.from({ length: appends }, () => audit.record(actor, entry)));
    print(`append, ${appends} at once: ${Math.round(appends / ((performance.now() - together_ms) / 1_000))}/s`);
    await opened.close();
  } finally {
    rmSync(data_dir, { recursive: true, force: true });
  }
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main(Number(values.rows), Number(values.appends));
