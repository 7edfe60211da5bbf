// What is no operation asks the same policy: exports, and what the audit log has of their refusals.
import { expect, it } from 'vitest';
import { openApp } from '../../test/support/open-app.ts';
import type { Principal } from '../kernel/operation.ts';

const ada: Principal = { user_id: 'ada', agent_id: 'tester', machine_id: 'here' };
const bob: Principal = { ...ada, user_id: 'bob' };
const scoped = (principal: Principal, ...scopes: ('memory.read' | 'memory.write')[]): Principal => ({
  ...principal,
  credential: { kind: 'token', admin: false, scopes },
});

it('refuses a transfer beyond the scopes, on record', async () => {
  await using app = await openApp();
  await app.store('kept to myself', { scope: 'solo' });
  const { signal } = new AbortController();
  const exported = async (who: Principal) =>
    (await collected(app.runtime.transfers.exportTo(who, { format: 'jsonl', signal }))).join('');
  const imported = async (who: Principal) =>
    collected(app.runtime.transfers.importFrom(lines(), who, { format: 'markdown', signal }));
  expect(await exported(scoped(ada, 'memory.read'))).toContain('kept to myself');
  expect(await exported(bob)).not.toContain('kept to myself');
  await expect(exported(scoped(ada, 'memory.write'))).rejects.toMatchObject({ code: 'forbidden' });
  await expect(imported(scoped(ada, 'memory.read'))).rejects.toMatchObject({ code: 'forbidden' });
  const rows = await app.rows("select action, result from audit_log where result = 'refused' order by seq");
  expect(rows).toEqual(['export', 'import'].map((action) => ({ action, result: 'refused' })));
});

async function* lines(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('# A note\n\nof some words\n');
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
