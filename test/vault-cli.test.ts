// Vaults from the command line, with the built program: secrets used without being read, and whole vaults as age files.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureBuilt, makePlace, node24, type Place } from './cli-binary.ts';

let place: Place;
let vault_id: string;
const secret = `made-up ${crypto.randomUUID()}\nof two lines`;

beforeAll(async () => {
  ensureBuilt();
  place = makePlace();
  const made = await place.run(['vault', 'create', 'prod', '--json']);
  vault_id = (JSON.parse(made.stdout) as { vault_id: string }).vault_id;
  await place.run(['vault', 'store', vault_id, 'db-password'], { input: `first of ${secret}` });
  expect(await place.run(['vault', 'store', vault_id, 'db-password'], { input: secret })).toMatchObject({ code: 0 });
});
afterAll(() => place.remove());

const SHOW = ['-e', 'process.stdout.write(JSON.stringify([process.env, process.argv.slice(1)]))', '--'];

async function shown(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<[Record<string, string>, string[]]> {
  const ran = await place.run(['vault', 'exec', ...args], { env });
  expect(ran).toMatchObject({ code: 0 });
  return JSON.parse(ran.stdout) as [Record<string, string>, string[]];
}

it('puts the secrets of a vault into the environment of one process', async () => {
  const [env, args] = await shown(['prod', '--', node24, ...SHOW, '--json', '$HOME', 'a b']);
  expect(env.DB_PASSWORD).toBe(secret);
  // The command's own words reach it as they are: no shell, and no flag of ours taken out.
  expect(args).toEqual(['--json', '$HOME', 'a b']);
});

it('gives only what was chosen, under the names that were chosen, and nothing of the hub itself', async () => {
  const hubs = { HAIVEMIND_TOKEN: 'made-up-token', HAIVEMIND_MASTER_KEY: 'made-up-key', OTHER: 'kept' };
  const [env] = await shown([vault_id, '--env', 'PGPASSWORD=db-password', '--', node24, ...SHOW], hubs);
  expect(env).toMatchObject({ PGPASSWORD: secret, OTHER: 'kept' });
  expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['DB_PASSWORD']));
  expect(env.HAIVEMIND_TOKEN).toBeUndefined();
  expect(env.HAIVEMIND_MASTER_KEY).toBeUndefined();
});

it('lets no key of a vault choose what runs, unless whoever runs the command asks for it', async () => {
  const made = await place.run(['vault', 'create', 'steered', '--json']);
  const { vault_id: steered } = JSON.parse(made.stdout) as { vault_id: string };
  await place.run(['vault', 'store', steered, 'node-options'], { input: '--require=/nowhere/at-all.cjs' });
  const refused = await place.run(['vault', 'exec', 'steered', '--', node24, ...SHOW]);
  expect(refused.stderr).toContain('would become NODE_OPTIONS');
  expect(refused.stdout).toBe('');
  const [env] = await shown(['steered', '--env', 'CHOSEN=node-options', '--', node24, ...SHOW]);
  expect(env.CHOSEN).toContain('--require');
});

it('names what it leaves out because it expired, and says in its help what keys become', async () => {
  const made = await place.run(['vault', 'create', 'old', '--json']);
  const { vault_id: old } = JSON.parse(made.stdout) as { vault_id: string };
  const expires_at = new Date(Date.now() + 1_500).toISOString();
  await place.run(['vault', 'store', old, 'short-lived', '--expires-at', expires_at], { input: secret });
  await place.run(['vault', 'store', old, 'long-lived'], { input: secret });
  await expect
    .poll(async () => (await place.run(['vault', 'exec', 'old', '--', node24, ...SHOW])).stderr, { timeout: 20_000 })
    .toBe('left out, expired: short-lived\n');
  const [env] = await shown(['old', '--', node24, ...SHOW]);
  expect(env.LONG_LIVED).toBe(secret);
  expect(env.SHORT_LIVED).toBeUndefined();
  expect((await place.run(['vault', 'exec', '--help'])).stdout).toContain('db-password is DB_PASSWORD');
});

it('takes no secret as a word, without repeating it, and no empty one', async () => {
  const value = `made-up-${crypto.randomUUID()}`;
  const word = await place.run(['vault', 'store', vault_id, 'other', value], { input: '' });
  expect(word).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--value @file') });
  expect(word.stderr).not.toContain(value);
  const empty = await place.run(['vault', 'store', vault_id, 'other'], { input: '' });
  expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('--value @file') });
  const many = await place.run(['vault', 'destroy', vault_id, 'one', 'two']);
  expect(many.code).toBe(2);
  expect(many.stderr).not.toContain('..');
});

it('ends as the command ends, and says what is wrong where there is none', async () => {
  expect(await place.run(['vault', 'exec', 'prod', '--', node24, '-e', 'process.exit(7)'])).toMatchObject({ code: 7 });
  const unknown = await place.run(['vault', 'exec', 'prod', '--', 'no-such-command-anywhere']);
  expect(unknown.stderr).toContain('was not found');
  expect(unknown.code).not.toBe(0);
  expect((await place.run(['vault', 'exec', 'nowhere', '--', 'true'])).stderr).toContain('There is no vault "nowhere"');
  expect((await place.run(['vault', 'exec', 'prod', '--env', '1X=db-password', '--', 'true'])).stderr).toContain(
    'NAME=key',
  );
});

it('wraps everything with a new master key, beside a running hub, and opens it as before', async () => {
  const hub = await place.serve(['serve']);
  try {
    const get = ['vault', 'get', vault_id, 'db-password', '--audit-reason', 'test', '--json'];
    expect(JSON.parse((await place.run(get)).stdout)).toMatchObject({ value: secret });
    const rotated = await place.run(['vault', 'rotate-master-key', '--json']);
    expect(JSON.parse(rotated.stdout)).toMatchObject({ vault_keys: 3 });
    const keys = readFileSync(join(place.data_dir, 'keys', 'master.json'), 'utf8');
    expect(keys).toContain((JSON.parse(rotated.stdout) as { master_key_id: string }).master_key_id);
    expect(JSON.parse((await place.run(get)).stdout)).toMatchObject({ value: secret });
    expect(JSON.parse((await place.run(['vault', 'rotate-master-key', '--resume', '--json'])).stdout)).toMatchObject({
      vault_keys: 0,
    });
  } finally {
    await hub.stop();
  }
});

it('stands in the audit log with the command it was for', async () => {
  const { stdout } = await place.run(['vault', 'audit', vault_id, '--json']);
  expect(stdout).toContain(`vault exec ${node24}`);
  expect(stdout).not.toContain(secret.slice(0, 20));
});

it('moves a vault with all its versions as a file that only its key opens', async () => {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const key_file = join(place.home, 'key.txt');
  writeFileSync(key_file, `# made for a test\n${identity}\n`, { mode: 0o600 });
  const file = join(place.home, 'prod.age');
  const exported = await place.run(['vault', 'export', 'prod', '-o', file, '--recipient', recipient]);
  expect(exported).toMatchObject({ code: 0 });
  expect(readFileSync(file, 'latin1')).toMatch(/^age-encryption.org\/v1\n/);
  expect(readFileSync(file, 'latin1')).not.toContain('made-up');
  const kept = readFileSync(file);
  const again = await place.run(['vault', 'export', 'prod', '-o', file, '--recipient', recipient]);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining(`${file} exists.`) });
  expect(readFileSync(file)).toEqual(kept);

  const elsewhere = makePlace();
  try {
    const take = () => elsewhere.run(['vault', 'import', file, '--identity', key_file, '--json']);
    const first = JSON.parse((await take()).stdout) as { vault_id: string };
    expect(first).toMatchObject({ secrets: 1, stored_versions: 2 });
    expect(JSON.parse((await take()).stdout)).toEqual({ vault_id: first.vault_id, secrets: 1, stored_versions: 0 });
    const into = ['vault', 'import', file, '--identity', key_file, '--into', first.vault_id, '--json'];
    expect(JSON.parse((await elsewhere.run(into)).stdout)).toMatchObject({ secrets: 1, stored_versions: 0 });
    const get = ['vault', 'get', first.vault_id, 'db-password', '--audit-reason', 'test', '--json'];
    expect(JSON.parse((await elsewhere.run(get)).stdout)).toMatchObject({ value: secret, version: 2 });
    const old = [...get, '--version', '1'];
    expect(JSON.parse((await elsewhere.run(old)).stdout)).toMatchObject({ value: `first of ${secret}` });
  } finally {
    await elsewhere.remove();
  }
});

it('says of a backup that the keys of its vaults are not in it', async () => {
  const said = / vaults are in the copy, and the master keys that open them are not: docs\/key-ring.md/;
  const copy = join(place.home, 'copy.db');
  expect((await place.run(['backup', copy])).stdout).toMatch(said);
  const elsewhere = makePlace();
  try {
    expect((await elsewhere.run(['restore', copy, '--yes'])).stdout).toMatch(said);
    expect(await elsewhere.run(['vault', 'create', 'new'])).toMatchObject({ code: 5, stdout: '' });
  } finally {
    await elsewhere.remove();
  }
});

it('takes a passphrase in place of a key, and tells a wrong one or a changed file', async () => {
  const file = join(place.home, 'pass.age');
  const HAIVEMIND_VAULT_PASSPHRASE = crypto.randomUUID();
  const none = await place.run(['vault', 'export', 'prod', '-o', file]);
  expect(none.stderr).toContain('HAIVEMIND_VAULT_PASSPHRASE');
  expect(
    await place.run(['vault', 'export', 'prod', '-o', file], { env: { HAIVEMIND_VAULT_PASSPHRASE } }),
  ).toMatchObject({ code: 0 });
  const open = (path: string, passphrase: string) =>
    place.run(['vault', 'import', path, '--into', 'prod', '--json'], {
      env: { HAIVEMIND_VAULT_PASSPHRASE: passphrase },
    });
  expect(JSON.parse((await open(file, HAIVEMIND_VAULT_PASSPHRASE)).stdout)).toMatchObject({ stored_versions: 0 });
  expect((await open(file, 'another')).stderr).toContain('does not open');
  const changed = readFileSync(file);
  changed[changed.length - 5] = (changed[changed.length - 5] ?? 0) ^ 1;
  const altered = join(place.home, 'altered.age');
  writeFileSync(altered, changed);
  expect((await open(altered, HAIVEMIND_VAULT_PASSPHRASE)).stderr).toContain('does not open');
});
