// Tokens through the public door: who may make them, what the audit log says, and that a revocation holds everywhere.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, type App, contextOf, openApp, refusalOf } from '../../../../test/support/open-app.ts';
import type { Principal } from '../../../kernel/operation.ts';

const DAY_MS = 86_400_000;

let app: App;
beforeEach(async () => {
  app = await openApp();
});
afterEach(() => app[Symbol.asyncDispose]());

/** Runs an operation as this principal; the machine's owner unless said. */
async function run(operation: string, input: unknown, principal: Principal = app.runtime.localPrincipal(), at = app) {
  const ctx = { ...contextOf(at.config.machine_id), principal };
  return (await at.runtime.executor.execute(operation, input, ctx)).output as Answer;
}

async function principalOf(token: string, at = app): Promise<Principal> {
  return { agent_id: 'a', machine_id: 'm', ...(await at.runtime.identities.bearer(token)) };
}

describe('who may', () => {
  const inputs = {
    create_token: { user: 'eve' },
    list_tokens: {},
    revoke_token: { jti: 'tok_01j8x3m5k7n9p1r3t5v7x9z1b3' },
    rotate_token_key: {},
  };

  test.each(Object.entries(inputs))('%s is for administrators', async (operation, input) => {
    expect(await app.refusal(operation, input, { user: 'bob' })).toMatchObject({ code: 'forbidden' });
    const { token } = await run('create_token', { user: 'bob' });
    const bob = await principalOf(token);
    expect(await refusalOf(run(operation, input, bob))).toMatchObject({ code: 'forbidden' });
    const limited = await run('create_token', { user: 'bob', admin: true, scope: 'memory mode' });
    expect(await refusalOf(run(operation, input, await principalOf(limited.token)))).toMatchObject({
      code: 'forbidden',
    });
  });

  test('a token made for it administers, and says who it was in the end', async () => {
    const { token } = await run('create_token', { user: 'ann', admin: true });
    const made = await run('create_token', { user: 'bob' }, await principalOf(token));
    expect(made.created_by).toBe('ann');
    expect(await principalOf(made.token)).toMatchObject({ user_id: 'bob', credential: { admin: false } });
  });
});

describe('input', () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{}, 'user'],
    [{ user: 'two words' }, 'user'],
    [{ user: '' }, 'user'],
    [{ user: 'b', days: 0 }, 'days'],
    [{ user: 'b', days: 367 }, 'days'],
    [{ user: 'b', days: 1.5 }, 'days'],
    [{ user: 'b', scope: 'memory.fly' }, 'memory.fly'],
    [{ user: 'b', scope: ['memory', '*'] }, '*'],
    [{ user: 'b', scope: 'mem' }, 'mem'],
    [{ user: 'b', label: 'two\nlines' }, 'label'],
    [{ user: 'b', audience: 'hub' }, 'audience'],
    [{ user: 'b', sub: 'c' }, 'sub'],
  ];

  test.each(wrong)('%j is one clear error and makes nothing', async (input, named) => {
    const refusal = await refusalOf(run('create_token', input));
    expect(refusal.code).toBe('invalid_input');
    expect(`${refusal.message} ${JSON.stringify(refusal.details)}`).toContain(named);
    expect(await app.rows('select * from tokens')).toEqual([]);
    expect(await app.rows('select * from signing_keys')).toEqual([]);
  });

  test.each([
    ['memory.read vault.read', ['memory.read', 'vault.read']],
    [
      ['memory.read,team.read', 'mode'],
      ['memory.read', 'mode.read', 'mode.write', 'team.read'],
    ],
    [' ', null],
    [[], null],
  ])('scope %j means %j', async (scope, permissions) => {
    const { token, scope: shown } = await run('create_token', { user: 'b', scope });
    expect(shown).toEqual(permissions);
    expect((await principalOf(token)).credential?.scopes).toEqual(permissions ?? undefined);
  });

  test('an unknown token cannot be revoked; nor can another spelling of one', async () => {
    const { jti } = await run('create_token', { user: 'b' });
    const unknown = `tok_${'0'.repeat(26)}`;
    expect(await refusalOf(run('revoke_token', { jti: unknown }))).toMatchObject({ code: 'not_found' });
    expect(await refusalOf(run('revoke_token', { jti: String(jti).toUpperCase() }))).toMatchObject({
      code: 'invalid_input',
    });
  });
});

describe('revoking', () => {
  test('holds at once on another hub of the store, and twice is no error', async () => {
    await using other = await openApp({ data_dir: app.data_dir, clock: app.clock, machine_id: 'second-machine' });
    const { token, jti } = await run('create_token', { user: 'bob' });
    expect(await other.runtime.identities.bearer(token)).toMatchObject({ user_id: 'bob' });
    const first = await run('revoke_token', { jti });
    expect(await refusalOf(other.runtime.identities.bearer(token))).toMatchObject({
      code: 'unauthenticated',
      message: `The token was revoked at ${first.revoked_at}.`,
    });
    app.clock.advance(5_000);
    expect(await run('revoke_token', { jti }, other.runtime.localPrincipal(), other)).toEqual(first);
    expect(await refusalOf(app.runtime.identities.bearer(token))).toMatchObject({ code: 'unauthenticated' });
  });

  test('a key rotated by one hub signs on the other; ended tokens end there too', async () => {
    await using other = await openApp({ data_dir: app.data_dir, clock: app.clock, machine_id: 'second-machine' });
    const { token } = await run('create_token', { user: 'bob' });
    const { key_id } = await run('rotate_token_key', {}, other.runtime.localPrincipal(), other);
    const later = await run('create_token', { user: 'ann' });
    const header = JSON.parse(Buffer.from(String(later.token).split('.')[0] ?? '', 'base64url').toString());
    expect(header.kid).toBe(key_id);
    expect(await other.runtime.identities.bearer(token)).toMatchObject({ user_id: 'bob' });
    await run('rotate_token_key', { revoke_old: true });
    for (const one of [token, later.token])
      expect(await refusalOf(other.runtime.identities.bearer(one))).toMatchObject({ code: 'unauthenticated' });
  });
});

test('the list has what holds now, newest first, page by page, and never a token', async () => {
  const made: Answer[] = [];
  for (const [user, days] of [
    ['ann', 1],
    ['bob', 10],
    ['bob', 20],
    ['cid', 30],
  ] as const) {
    made.push(await run('create_token', { user, days, label: `of ${user}` }));
    app.clock.advance(1_000);
  }
  const jtis = made.map(({ jti }) => jti).toReversed();
  await run('revoke_token', { jti: jtis[1] });
  app.clock.advance(2 * DAY_MS);
  const listed = async (input: object) => (await run('list_tokens', input)).tokens as { jti: string }[];
  const idsOf = async (input: object) => (await listed(input)).map(({ jti }) => jti);
  expect(await idsOf({})).toEqual([jtis[0], jtis[2]]);
  expect(await idsOf({ all: true })).toEqual(jtis);
  expect(await idsOf({ all: true, user: 'bob' })).toEqual([jtis[1], jtis[2]]);
  expect(await idsOf({ user: 'nobody' })).toEqual([]);
  const pages: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await run('list_tokens', { all: true, limit: 3, ...(cursor ? { cursor } : {}) });
    pages.push(...(page.tokens as { jti: string }[]).map(({ jti }) => jti));
    cursor = page.next_cursor;
  }
  expect(pages).toEqual(jtis);
  const text = JSON.stringify(await listed({ all: true }));
  for (const { token } of made) expect(text).not.toContain(String(token).split('.')[2]);
  expect(await refusalOf(run('list_tokens', { cursor: 'x' }))).toMatchObject({ code: 'invalid_input' });
});

test('making, revoking and rotating stand in the audit log, whom it concerns with it', async () => {
  const { jti, expires_at } = await run('create_token', { user: 'bob', scope: 'memory.read', admin: true });
  await run('revoke_token', { jti });
  await run('rotate_token_key', { revoke_old: true });
  await app.refusal('create_token', { user: 'eve' }, { user: 'mallory' });
  const rows = await app.rows(
    `select a.action, a.target_id, a.result, s.user_id, d.details from audit_log a
       join audit_subjects s on s.subject_id = a.subject_id join audit_details d on d.seq = a.seq order by a.seq`,
  );
  const owner = app.runtime.localPrincipal().user_id;
  expect(rows.map(({ action, result, user_id }) => [action, result, user_id])).toEqual([
    ['token.key', 'ok', owner],
    ['token.create', 'ok', owner],
    ['token.revoke', 'ok', owner],
    ['token.key', 'ok', owner],
    ['create_token', 'refused', 'mallory'],
  ]);
  const [, created, revoked] = rows;
  for (const row of [created, revoked]) expect(row?.target_id).toBe(jti);
  const bob = await app.rows("select subject_id from audit_subjects where user_id = 'bob'");
  expect(JSON.parse(String(created?.details))).toEqual({
    admin: true,
    scope: 'memory.read',
    expires_at,
    affected: bob[0]?.subject_id,
  });
});

test('the runtime publishes its keys, and knows no peer where Tailscale is off', async () => {
  const { identities } = app.runtime;
  expect(await identities.jwks()).toEqual({ keys: [] });
  await run('create_token', { user: 'bob' });
  expect((await identities.jwks()).keys).toMatchObject([{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' }]);
  expect(await identities.peer('100.101.102.103', 1)).toBeUndefined();
  expect(identities.issuers).toEqual([]);
});
