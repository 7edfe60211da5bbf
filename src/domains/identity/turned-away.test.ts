// Refused requests on the audit log: each kind is there, and nobody can fill the log with them.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTemporaryDatabase } from '../../../test/support/temporary-database.ts';
import { virtualClock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { Database } from '../../storage/database.ts';
import { type Audit, type AuditTables, createAudit } from '../audit/index.ts';
import { createTurnedAwayLog, type TurnedAwayLog } from './turned-away.ts';

let clock: ReturnType<typeof virtualClock>;
let database: Database;
let audit: Audit;
let log: TurnedAwayLog;
let troubles: unknown[];

beforeEach(async () => {
  clock = virtualClock();
  database = await openTemporaryDatabase({ clock });
  audit = createAudit(database.withTables<AuditTables>());
  troubles = [];
  log = createTurnedAwayLog({ audit, clock, onError: (error) => troubles.push(error) });
});
afterEach(() => database.close());

/** Oldest first. */
async function rows() {
  const all = await audit.list({ limit: 2_000 });
  return all.toReversed().map(({ reason, details: { remote_address, times } }) => [reason, remote_address, times]);
}

test('the first is told at once, those of its minute as a number', async () => {
  for (let i = 0; i < 5; i++) await log.note('no_token', '10.0.0.1');
  await log.note('no_token', '10.0.0.2');
  await log.note('foreign_host', undefined);
  expect(await rows()).toEqual([
    ['no_token', '10.0.0.1', 1],
    ['no_token', '10.0.0.2', 1],
    ['foreign_host', '-', 1],
  ]);
  expect(await audit.list({ limit: 1 })).toMatchObject([
    {
      action: 'request.refused',
      target_type: 'hub',
      target_id: null,
      result: 'refused',
      actor: { user_id: '-', agent_id: '-', machine_id: '-' },
    },
  ]);
  clock.advance(limits.turned_away_window_ms);
  await log.note('no_token', '10.0.0.1');
  expect((await rows()).slice(3)).toEqual([
    ['no_token', '10.0.0.1', 4],
    ['no_token', '10.0.0.1', 1],
  ]);
});

test('what was counted is written at the end', async () => {
  for (let i = 0; i < 3; i++) await log.note('no_token', '10.0.0.1');
  await log.flush();
  await log.flush();
  expect(await rows()).toEqual([
    ['no_token', '10.0.0.1', 1],
    ['no_token', '10.0.0.1', 2],
  ]);
});

test('from very many addresses they make no more rows than are told apart', async () => {
  const more = 25;
  const addresses = Array.from({ length: limits.turned_away_max_count + more }, (_, i) => `fd00::${i.toString(16)}`);
  for (const address of addresses) await log.note(`no_token ${address}`, address);
  await log.flush();
  const all = await rows();
  expect(all).toHaveLength(limits.turned_away_max_count + 2);
  expect(all.slice(-2)).toEqual([
    ['several', 'several', 1],
    ['several', 'several', more - 1],
  ]);
  const total = all.reduce((sum, [, , times]) => sum + Number(times), 0);
  expect(total).toBe(addresses.length);
});

test('long texts are cut', async () => {
  await log.note('r'.repeat(5_000), 'a'.repeat(5_000));
  const [row] = await rows();
  expect(String(row?.[0]).length).toBeLessThanOrEqual(200);
  expect(String(row?.[1]).length).toBeLessThanOrEqual(limits.id_length_max_chars);
});

test('a log that cannot be written is somebody else to tell, never an error of the refusal', async () => {
  const broken = createTurnedAwayLog({
    audit: { ...audit, record: () => Promise.reject(new Error('disk full')) },
    clock,
    onError: (error) => troubles.push(error),
  });
  await broken.note('no_token', '10.0.0.1');
  expect(troubles).toMatchObject([{ message: 'disk full' }]);
});
