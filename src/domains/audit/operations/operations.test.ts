// The audit log by its operations: for administrators alone, audited itself, with signed anchors; and no audited act
// happens whose row cannot be written.
import { expect, test } from 'vitest';
import { type Answer, type App, contextOf, openApp, refusalOf } from '../../../../test/support/open-app.ts';
import type { Credential } from '../../../kernel/operation.ts';

const ADMIN: Credential = { kind: 'local', admin: true };

async function asAdmin(app: App, operation: string, input: object = {}): Promise<Answer> {
  const ctx = contextOf('test-machine', { user: 'root' });
  const admin = { ...ctx, principal: { ...ctx.principal, credential: ADMIN } };
  return (await app.runtime.executor.execute(operation, input, admin)).output;
}

test('the log shows who did what, pages on, and shows that it was read', async () => {
  await using app = await openApp();
  const bob = { user: 'bob' };
  const { vault_id } = await app.call('create_vault', { name: 'Keys' }, bob);
  await app.call('store_in_vault', { vault_id, key: 'k', value: 'correct horse battery' }, bob);
  await app.call('retrieve_from_vault', { vault_id, key: 'k', audit_reason: 'the nightly job' }, bob);
  await app.refusal('retrieve_from_vault', { vault_id, key: 'k', audit_reason: 'curious' }, { user: 'eve' });
  const { rows } = await asAdmin(app, 'list_audit_log');
  expect(rows[0]).toMatchObject({ action: 'list_audit_log', user: 'root', result: 'ok' });
  expect(rows.find((row: Answer) => row.reason === 'the nightly job')).toMatchObject({
    user: 'bob',
    target_id: vault_id,
    result: 'ok',
  });
  expect(rows.find((row: Answer) => row.user === 'eve')).toMatchObject({ result: 'refused' });
  expect(JSON.stringify(rows)).not.toContain('battery');
  const first = await asAdmin(app, 'list_audit_log', { user: 'bob', limit: 2 });
  const second = await asAdmin(app, 'list_audit_log', { user: 'bob', limit: 2, cursor: first.next_cursor });
  const seqs = [...first.rows, ...second.rows].map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.toSorted((a, b) => b - a));
  expect(new Set(seqs).size).toBe(seqs.length);
  app.clock.advance(3_600_000);
  expect((await asAdmin(app, 'list_audit_log', { since: '30m' })).rows).toHaveLength(1);
});

test('who does not administer the hub is refused, and that is on record', async () => {
  await using app = await openApp();
  for (const operation of ['list_audit_log', 'verify_audit_log', 'anchor_audit_log']) {
    expect(await app.refusal(operation, {})).toMatchObject({ code: 'forbidden' });
    expect((await asAdmin(app, 'list_audit_log', { target: operation })).rows).toMatchObject([
      { action: operation, result: 'refused', user: 'ada' },
    ]);
  }
});

test('a signed anchor proves the log, and nothing else passes for it', async () => {
  await using app = await openApp();
  await app.call('create_team', { name: 'Harbour' });
  const { operating_mode: _, ...anchor } = await asAdmin(app, 'anchor_audit_log');
  expect(anchor.signature).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  await app.call('create_team', { name: 'Pier' });
  const verify = (changed: object) =>
    asAdmin(app, 'verify_audit_log', { anchor: JSON.stringify({ ...anchor, ...changed }) });
  expect(await verify({})).toMatchObject({ ok: true, anchor_signature: 'valid' });
  expect(await verify({ signature: null })).toMatchObject({ ok: true, anchor_signature: 'absent' });
  for (const changed of [{ seq: anchor.seq - 1 }, { hash: '1'.repeat(64) }, { at: '2020-01-01T00:00:00.000Z' }])
    expect(await verify(changed)).toMatchObject({ ok: false, anchor_signature: 'wrong' });
  const { token } = await asAdmin(app, 'create_token', { user: 'bob' });
  expect(await verify({ signature: token })).toMatchObject({ ok: false, anchor_signature: 'wrong' });
  const notAnAnchor = asAdmin(app, 'verify_audit_log', { anchor: '{"seq":1}' });
  expect(await refusalOf(notAnAnchor)).toMatchObject({ code: 'invalid_input' });
  await app.rows("update audit_log set action = 'x.y' where seq = 1");
  expect(await verify({})).toMatchObject({ ok: false, first_bad_seq: 1 });
});

test('no act happens whose row cannot be written', async () => {
  await using app = await openApp();
  const { vault_id } = await app.call('create_vault', { name: 'Keys' });
  await app.call('store_in_vault', { vault_id, key: 'k', value: 'correct horse battery' });
  await app.call('set_mode', { mode: 'vault' }, { session: 'in-vault-mode' });
  const memory_id = await app.store('The crane of pier 4 is serviced in March.');
  const kept = async () =>
    Promise.all(
      ['teams', 'team_members', 'vaults', 'vault_secrets', 'vault_grants', 'tokens', 'agent_modes', 'changes'].map(
        async (table) => (await app.rows(`select count(*) as n from ${table}`))[0]?.n,
      ),
    );
  const before = await kept();
  await app.rows('alter table audit_details rename to audit_details_away');
  const calls: Promise<unknown>[] = [
    app.call('retrieve_from_vault', { vault_id, key: 'k', audit_reason: 'to see' }),
    app.call('list_vault_secrets', { vault_id }),
    app.call('create_vault', { name: 'More keys' }),
    app.call('store_in_vault', { vault_id, key: 'k2', value: 'another' }),
    app.call('share_vault', { vault_id, share_with: 'bob', share_type: 'user' }),
    app.call('create_team', { name: 'Harbour' }),
    app.call('set_mode', { mode: 'vault', context_id: vault_id }, { session: 'another' }),
    asAdmin(app, 'create_token', { user: 'bob' }),
    asAdmin(app, 'list_audit_log'),
    // In vault mode every call is on record: also one that is not elsewhere.
    app.call('retrieve_memory', { memory_id }, { session: 'in-vault-mode' }),
  ];
  for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected');
  expect(await kept()).toEqual(before);
  await app.rows('alter table audit_details_away rename to audit_details');
  expect(await asAdmin(app, 'verify_audit_log')).toMatchObject({ ok: true });
  expect(await app.call('retrieve_from_vault', { vault_id, key: 'k', audit_reason: 'to see' })).toBeDefined();
});
