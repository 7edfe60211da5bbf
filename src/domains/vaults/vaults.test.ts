// Vaults through the public door: who may do what, versions, expiry, deletion, sharing, and the trail all of it leaves.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type App, DAY_MS, openApp } from '../../../test/support/open-app.ts';
import { limits } from '../../kernel/limits.ts';

let app: App;
beforeEach(async () => {
  app = await openApp();
});
afterEach(() => app[Symbol.asyncDispose]());

const ada = { user: 'ada' };
const bob = { user: 'bob' };
const why = { audit_reason: 'a test' };

async function newVault(fields: object = {}, caller = ada): Promise<string> {
  return (await app.call('create_vault', { name: 'Things', ...fields }, caller)).vault_id;
}

async function put(vault_id: string, key: string, value: string, fields: object = {}, caller = ada): Promise<number> {
  return (await app.call('store_in_vault', { vault_id, key, value, ...fields }, caller)).version;
}

async function get(vault_id: string, key: string, fields: object = {}, caller = ada): Promise<string> {
  return (await app.call('retrieve_from_vault', { vault_id, key, ...why, ...fields }, caller)).value;
}

async function secrets(vault_id: string, fields: object = {}) {
  return (await app.call('list_vault_secrets', { vault_id, ...fields }, ada)).secrets;
}

const trail = (vault_id: string) =>
  app.rows('select action, result from audit_log where target_id = ? order by seq', vault_id);

describe('values', () => {
  test.each([
    ['plain', 'pass word'],
    ['with line breaks and blanks at its ends', '  -----BEGIN KEY-----\nabc\r\n\t'],
    ['outside the basic plane', '𝒦ëÿ \u{1f511}\u200b\ufeff日本'],
    ['as long as allowed', 'ä'.repeat(limits.vault_value_max_bytes / 2)],
  ])('come back exactly: %s', async (_, value) => {
    const vault_id = await newVault();
    await put(vault_id, 'k', value, { metadata: { service: 'x', deep: { list: [1, null, 'ü'] } } });
    const answer = await app.call('retrieve_from_vault', { vault_id, key: 'k', ...why });
    expect(answer).toMatchObject({ value, version: 1, metadata: { service: 'x', deep: { list: [1, null, 'ü'] } } });
    expect(answer.handling).toContain('nowhere else');
  });

  test('that are empty, too large or of another type are refused without being repeated', async () => {
    const vault_id = await newVault();
    const canary = crypto.randomUUID();
    const attempts = ['', canary.repeat(2_000), [canary], { [canary.slice(0, 1)]: canary }, 7];
    for (const value of attempts) {
      const refused = await app.refusal('store_in_vault', { vault_id, key: 'k', value });
      expect(refused.code).toBe('invalid_input');
      expect(JSON.stringify(refused)).not.toContain(canary);
    }
    const large = await app.refusal('store_in_vault', { vault_id, key: 'k', value: canary.repeat(2_000) });
    expect(large.message).toContain(String(limits.vault_value_max_bytes));
    expect(await secrets(vault_id)).toEqual([]);
  });

  test('need a key of the stated pattern', async () => {
    const vault_id = await newVault();
    for (const key of ['', ' ', '-x', 'a b', 'a\n', 'ä', '../x', 'x'.repeat(300)]) {
      const refused = await app.refusal('store_in_vault', { vault_id, key, value: 'v' });
      expect(refused).toMatchObject({ code: 'invalid_input' });
    }
    for (const key of ['a', 'A_1', '_x', 'db/main.password-2']) expect(await put(vault_id, key, key)).toBe(1);
  });

  test('are not in the text a model reads of a stored secret, and are fenced in that of a retrieved one', async () => {
    const vault_id = await newVault();
    const value = crypto.randomUUID();
    expect(await app.text('store_in_vault', { vault_id, key: 'k', value })).not.toContain(value);
    expect(await app.text('list_vault_secrets', { vault_id })).not.toContain(value);
    const { parts } = await app.runtime.executor.execute(
      'retrieve_from_vault',
      { vault_id, key: 'k', ...why },
      {
        principal: { user_id: 'ada', agent_id: 'a', machine_id: 'm' },
        session: { key: 's', transport: 'http' },
        request_id: 'r',
        signal: new AbortController().signal,
        reportProgress: () => {},
      },
    );
    expect(parts.filter((part) => part.text.includes(value)).map((part) => part.kind)).toEqual(['stored']);
  });
});

describe('versions', () => {
  test('older ones stay readable by number, and after a new data key', async () => {
    const vault_id = await newVault();
    expect(await put(vault_id, 'k', 'one')).toBe(1);
    await app.call('rotate_vault_key', { vault_id });
    expect(await put(vault_id, 'k', 'two')).toBe(2);
    expect(await app.rows('select epoch, version from vault_secret_versions order by version')).toEqual([
      { epoch: 1, version: 1 },
      { epoch: 2, version: 2 },
    ]);
    expect([await get(vault_id, 'k'), await get(vault_id, 'k', { version: 1 })]).toEqual(['two', 'one']);
    expect((await app.refusal('retrieve_from_vault', { vault_id, key: 'k', version: 3, ...why })).code).toBe(
      'not_found',
    );
  });

  test('50 writers of one key and 50 of others lose nothing', async () => {
    const vault_id = await newVault();
    const values = Array.from({ length: 50 }, (_, i) => `value ${i}`);
    const versions = await Promise.all(
      values.flatMap((value, i) => [put(vault_id, 'same', value), put(vault_id, `own-${i}`, value)]),
    );
    expect(versions.filter((_, i) => i % 2 === 0).toSorted((a, b) => a - b)).toEqual(values.map((_, i) => i + 1));
    const read = await Promise.all(values.map((_, i) => get(vault_id, 'same', { version: i + 1 })));
    expect(read.toSorted()).toEqual(values.toSorted());
    expect(await Promise.all(values.map((_, i) => get(vault_id, `own-${i}`)))).toEqual(values);
  });

  test('written while the data key is renewed are all readable', async () => {
    const vault_id = await newVault();
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        if (i % 5 === 0) await app.call('rotate_vault_key', { vault_id });
        await put(vault_id, 'k', 'same');
      }),
    );
    for (let version = 1; version <= 20; version++) expect(await get(vault_id, 'k', { version })).toBe('same');
  });

  test('go on counting after a deletion, and what was deleted is destroyed by a new value', async () => {
    const vault_id = await newVault();
    await put(vault_id, 'k', 'one');
    await app.call('delete_vault_secret', { vault_id, key: 'k' });
    expect(await put(vault_id, 'k', 'two')).toBe(2);
    expect((await app.refusal('retrieve_from_vault', { vault_id, key: 'k', version: 1, ...why })).code).toBe(
      'not_found',
    );
    expect((await app.refusal('restore_vault_secret', { vault_id, key: 'k' })).code).toBe('conflict');
    expect(await app.rows('select version from vault_secret_versions')).toEqual([{ version: 2 }]);
  });
});

describe('time', () => {
  test('a secret expires to the second, says when, and is still listed', async () => {
    const vault_id = await newVault();
    const expires_at = new Date(app.clock.now() + 60_000).toISOString();
    await put(vault_id, 'k', 'v', { expires_at });
    app.clock.advance(59_999);
    expect(await get(vault_id, 'k')).toBe('v');
    app.clock.advance(1);
    const refused = await app.refusal('retrieve_from_vault', { vault_id, key: 'k', ...why });
    expect(refused.code).toBe('conflict');
    expect(refused.message).toContain(expires_at);
    expect(await secrets(vault_id)).toMatchObject([{ key: 'k', expired: true, expires_at }]);
    await put(vault_id, 'k', 'w');
    expect(await get(vault_id, 'k')).toBe('w');
    expect((await app.refusal('retrieve_from_vault', { vault_id, key: 'k', version: 1, ...why })).code).toBe(
      'conflict',
    );
  });

  test('an expiry has to be in the future', async () => {
    const vault_id = await newVault();
    const expires_at = new Date(app.clock.now()).toISOString();
    expect(await app.refusal('store_in_vault', { vault_id, key: 'k', value: 'v', expires_at })).toMatchObject({
      code: 'invalid_input',
    });
    const share = { vault_id, share_with: 'bob', expires_at };
    expect(await app.refusal('share_vault', share)).toMatchObject({ code: 'invalid_input' });
  });

  test('a rotation falls due, and is kept, changed or ended with a new value', async () => {
    const vault_id = await newVault();
    await put(vault_id, 'k', 'v', { rotation_interval_days: 2 });
    app.clock.advance(2 * DAY_MS - 1);
    expect(await secrets(vault_id)).toMatchObject([{ rotation_due: false, rotation_interval_days: 2 }]);
    app.clock.advance(1);
    expect(await secrets(vault_id)).toMatchObject([{ rotation_due: true }]);
    await put(vault_id, 'k', 'w');
    expect(await secrets(vault_id)).toMatchObject([{ rotation_due: false, rotation_interval_days: 2 }]);
    await put(vault_id, 'k', 'x', { rotation_interval_days: 0 });
    expect(await secrets(vault_id)).toMatchObject([{ rotation_interval_days: null }]);
  });

  test('a deleted secret comes back whole for the stated time, and then never', async () => {
    const vault_id = await newVault();
    await put(vault_id, 'k', 'one');
    await put(vault_id, 'k', 'two');
    const days = app.config.security.vault_recovery_days;
    const { recoverable_until } = await app.call('delete_vault_secret', { vault_id, key: 'k', reason: 'unused' });
    expect(recoverable_until).toBe(new Date(app.clock.now() + days * DAY_MS).toISOString());
    expect((await app.refusal('retrieve_from_vault', { vault_id, key: 'k', ...why })).code).toBe('not_found');
    expect(await secrets(vault_id)).toEqual([]);
    expect(await secrets(vault_id, { include_deleted: true })).toMatchObject([{ key: 'k', recoverable_until }]);
    expect((await app.refusal('delete_vault_secret', { vault_id, key: 'k' })).code).toBe('not_found');
    app.clock.advance(days * DAY_MS - 1);
    await app.call('restore_vault_secret', { vault_id, key: 'k' });
    expect(await get(vault_id, 'k', { version: 1 })).toBe('one');
    await app.call('delete_vault_secret', { vault_id, key: 'k' });
    app.clock.advance(days * DAY_MS);
    expect((await app.refusal('restore_vault_secret', { vault_id, key: 'k' })).code).toBe('not_found');
    expect(await secrets(vault_id, { include_deleted: true })).toEqual([]);
  });
});

describe('reasons and the trail', () => {
  test.each(['', '   ', '\n\t', 'x'.repeat(limits.reason_length_max_chars + 1), undefined, 7])(
    'no value without a reason (%#)',
    async (audit_reason) => {
      const vault_id = await newVault();
      await put(vault_id, 'k', 'v');
      const refused = await app.refusal('retrieve_from_vault', { vault_id, key: 'k', audit_reason });
      expect(refused).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('audit_reason') });
      expect((await trail(vault_id)).at(-1)).toEqual({ action: 'retrieve_from_vault', result: 'refused' });
    },
  );

  test('each access, change and refusal is one row, with who and why, never what', async () => {
    const vault_id = await newVault();
    const value = crypto.randomUUID();
    await put(vault_id, 'k', value);
    await get(vault_id, 'k', { audit_reason: '  deploying payments ' });
    await app.refusal('retrieve_from_vault', { vault_id, key: 'k', audit_reason: 'curious' }, bob);
    await app.call('list_vault_secrets', { vault_id });
    await app.call('share_vault', { vault_id, share_with: 'bob' });
    await app.refusal('store_in_vault', { vault_id, key: 'k', value: 'mine' }, bob);
    await app.call('share_vault', { vault_id, share_with: 'bob', revoke: true });
    const { entries } = await app.call('vault_audit_log', { vault_id });
    expect(entries.map((e: Record<string, unknown>) => [e.action, e.result, e.user_id, e.reason]).toReversed()).toEqual(
      [
        ['create_vault', 'ok', 'ada', null],
        ['store_in_vault', 'ok', 'ada', null],
        ['retrieve_from_vault', 'ok', 'ada', 'deploying payments'],
        ['retrieve_from_vault', 'refused', 'bob', 'curious'],
        ['list_vault_secrets', 'ok', 'ada', null],
        ['share_vault', 'ok', 'ada', null],
        ['store_in_vault', 'refused', 'bob', null],
        ['share_vault', 'ok', 'ada', null],
      ],
    );
    expect(entries.at(-3)).toMatchObject({ details: { key: 'k', version: 1 }, agent_id: 'tester' });
    expect(entries[0]).toMatchObject({ affected_user_id: 'bob', details: { revoked: true } });
    expect(JSON.stringify(entries)).not.toContain(value);
    expect((await trail(vault_id)).at(-1)).toEqual({ action: 'vault_audit_log', result: 'ok' });
    const first = await app.call('vault_audit_log', { vault_id, limit: 4 });
    const second = await app.call('vault_audit_log', { vault_id, limit: 500, cursor: first.next_cursor });
    expect(second.entries.at(-1)).toMatchObject({ action: 'create_vault' });
    app.clock.advance(2 * 3_600_000);
    expect((await app.call('vault_audit_log', { vault_id, hours: 1 })).entries).toEqual([]);
  });

  test('an invented vault is not kept in the log', async () => {
    const invented = 'sk_live_0123456789abcdefghij';
    await app.refusal('list_vault_secrets', { vault_id: invented });
    expect(await app.rows('select seq from audit_log where target_id = ?', invented)).toEqual([]);
  });

  test('changes are recorded for synchronisation', async () => {
    const vault_id = await newVault();
    await put(vault_id, 'k', 'v');
    await app.call('share_vault', { vault_id, share_with: 'bob' });
    await app.call('delete_vault_secret', { vault_id, key: 'k' });
    await app.call('destroy_vault', { vault_id, confirm: true });
    expect(await app.rows('select entity, kind from changes order by seq')).toEqual([
      { entity: 'vault', kind: 'put' },
      { entity: 'vault_secret', kind: 'put' },
      { entity: 'vault_grant', kind: 'put' },
      { entity: 'vault_secret', kind: 'delete' },
      { entity: 'vault_grant', kind: 'delete' },
      { entity: 'vault', kind: 'delete' },
    ]);
  });
});
