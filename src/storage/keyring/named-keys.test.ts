// A store and its key ring, together and apart: nothing begins with another master key by itself, and a rotation of the
// one kind of key leaves the other kind possible.
import { existsSync, renameSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type App, contextOf, openApp } from '../../../test/support/open-app.ts';

let app: App;
let ring: string;

beforeEach(async () => {
  app = await openApp();
  ring = app.config.security.keyring.file;
});
afterEach(() => app[Symbol.asyncDispose]());

const asAdmin = async (operation: string, input: unknown) => {
  const ctx = contextOf(app.config.machine_id);
  const principal = { ...ctx.principal, credential: { kind: 'local', admin: true } as const };
  return (await app.runtime.executor.execute(operation, input, { ...ctx, principal })).output;
};
const vault = async () => (await app.call('create_vault', { name: 'x', vault_type: 'personal' })).vault_id as string;
const token = async () => (await asAdmin('create_token', { user: 'bob' })).token as string;
const rotateTokenKey = (input: { revoke_old?: boolean } = {}) => asAdmin('rotate_token_key', input);
const read = (vault_id: string) => app.call('retrieve_from_vault', { vault_id, key: 'k', audit_reason: 'a test' });
const keyRing = async () => (await app.runtime.inspect()).find((check) => check.name === 'key ring');
const holds = (bearer: string) => app.runtime.identities.bearer(bearer);

test('the master key is renewed after the token key was, as often as wanted, and tokens hold and are made', async () => {
  const early = await token();
  await rotateTokenKey();
  const later = await token();
  expect(await app.runtime.rotateMasterKey()).toMatchObject({ signing_keys: 1 });
  expect(await app.runtime.rotateMasterKey({ resume: true })).toMatchObject({ signing_keys: 0 });
  await rotateTokenKey();
  expect(await app.runtime.rotateMasterKey()).toMatchObject({ signing_keys: 1 });
  for (const each of [early, later, await token()]) expect(await holds(each)).toBeDefined();
});

test('a store without its key ring fails the check, by the names of the keys, and makes no new one', async () => {
  const vault_id = await vault();
  await app.call('store_in_vault', { vault_id, key: 'k', value: crypto.randomUUID() });
  await token();
  const [row] = await app.rows('select master_key_id from vault_keys');
  const master_key_id = String(row?.master_key_id);
  renameSync(ring, `${ring}.away`);
  expect(await keyRing()).toMatchObject({
    status: 'failed',
    detail: expect.stringContaining(master_key_id),
    fix: expect.stringContaining('docs/key-ring.md'),
  });
  const refused = { code: 'unavailable', message: expect.stringContaining(master_key_id) };
  for (const act of [vault, () => app.call('rotate_vault_key', { vault_id }), rotateTokenKey])
    await expect(act()).rejects.toMatchObject(refused);
  await expect(token()).rejects.toMatchObject({ code: 'unavailable' });
  for (const resume of [false, true])
    await expect(app.runtime.rotateMasterKey({ resume })).rejects.toMatchObject(refused);
  expect(existsSync(ring)).toBe(false);

  renameSync(`${ring}.away`, ring);
  expect(await keyRing()).toMatchObject({ status: 'ok' });
  expect(await vault()).toMatch(/^vault_/);
  expect(await read(vault_id)).toMatchObject({ key: 'k' });
});

test('where only the token signer needs the lost key, a new signing key is all it takes', async () => {
  const early = await token();
  renameSync(ring, `${ring}.away`);
  await expect(vault()).rejects.toMatchObject({ code: 'unavailable' });
  await rotateTokenKey();
  expect(await keyRing()).toMatchObject({ status: 'ok' });
  expect(await vault()).toMatch(/^vault_/);
  for (const each of [early, await token()]) expect(await holds(each)).toBeDefined();
});

test('whoever lost it for good can begin with another by ending all tokens; the check goes on naming it', async () => {
  const lost = await vault();
  renameSync(ring, `${ring}.away`);
  await expect(rotateTokenKey()).rejects.toMatchObject({ hint: expect.stringContaining('--revoke-old') });
  await rotateTokenKey({ revoke_old: true });
  expect(await token()).toEqual(expect.any(String));
  expect(await vault()).not.toBe(lost);
  expect(await keyRing()).toMatchObject({ status: 'failed' });
});
