// The key ring under a passphrase: what opens it, what does not, and how another passphrase takes over.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeKeyRing, expectWithout } from '../../../test/support/keyring-suite.ts';
import { openKeyRing } from './index.ts';
import { passphraseKeyRing } from './passphrase.ts';

const NAME = 'SOME_PASSPHRASE';
/** The least a file may ask for: what is tested here is not how slow it is. */
const cost = { memory_kib: 1024, passes: 1, lanes: 1 };

let data_dir: string;
let path: string;
let passphrase: string;

beforeEach(() => {
  data_dir = mkdtempSync(join(tmpdir(), 'haivemind-keyring-'));
  path = join(data_dir, 'keys', 'passphrase.json');
  passphrase = `words of ${crypto.randomUUID()}`;
});
afterEach(() => rmSync(data_dir, { recursive: true, force: true }));

const withVariables = (env: Readonly<Record<string, string>>) => passphraseKeyRing({ path, name: NAME, env, cost });
const open = () => withVariables({ [NAME]: passphrase });
const caught = (asked: Promise<unknown>) => asked.catch((thrown: unknown) => thrown);

describe('a key ring under a passphrase', () => {
  describeKeyRing(() => ({
    open,
    rotate: async () => {
      const next = `other words of ${crypto.randomUUID()}`;
      await withVariables({ [NAME]: passphrase, [`${NAME}_NEW`]: next }).rotate();
      passphrase = next;
    },
  }));
});

it('keeps how it derived beside the sealed keys, and neither a key nor the passphrase', async () => {
  const settings = { source: 'passphrase', file: '/nowhere', env: NAME, service: 'unused' } as const;
  const { key } = await openKeyRing(settings, { data_dir, env: { [NAME]: passphrase } }).current();
  expect(readdirSync(join(data_dir, 'keys'))).toEqual(['passphrase.json']);
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  const kept: unknown = JSON.parse(readFileSync(path, 'utf8'));
  expect(kept).toMatchObject({
    derivation: { algorithm: 'argon2id', memory_kib: 65_536, passes: 3, lanes: 4, salt: expect.any(String) },
  });
  expectWithout(kept, key, passphrase);
});

it('answers a wrong passphrase with one clear error, and leaves the file as it is', async () => {
  const { key, id } = await open().current();
  const before = readFileSync(path, 'utf8');
  for (const wrong of [`${passphrase} `, 'x', passphrase.toUpperCase()]) {
    const ring = withVariables({ [NAME]: wrong });
    for (const asked of [ring.current(), ring.find(id), ring.rotate()]) {
      const error = await caught(asked);
      expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining(NAME) });
      expectWithout(error, key, passphrase);
    }
  }
  expect(readFileSync(path, 'utf8')).toBe(before);
});

it('refuses a missing passphrase, and a short one for new keys', async () => {
  for (const env of [{}, { [NAME]: '' }, { [NAME]: 'eleven char' }])
    expect(await caught(withVariables(env).current())).toMatchObject({ code: 'config_invalid' });
  expect(readdirSync(data_dir)).toEqual([]);
});

it('is one passphrase however its accents are typed', async () => {
  const accented = `r\u00e9sum\u00e9 ${crypto.randomUUID()}`;
  const { id } = await withVariables({ [NAME]: accented }).current();
  expect((await withVariables({ [NAME]: accented.normalize('NFD') }).current()).id).toBe(id);
});

it('says what a new key needs', async () => {
  await open().current();
  expect(await caught(open().rotate())).toMatchObject({
    code: 'invalid_input',
    hint: expect.stringContaining(`${NAME}_NEW`),
  });
  const same = withVariables({ [NAME]: passphrase, [`${NAME}_NEW`]: passphrase });
  expect(await caught(same.rotate())).toMatchObject({ code: 'invalid_input' });
  const short = withVariables({ [NAME]: passphrase, [`${NAME}_NEW`]: 'short' });
  expect(await caught(short.rotate())).toMatchObject({ code: 'config_invalid' });
});

it('opens with both variables set until the new one has moved; the old passphrase then opens nothing', async () => {
  const before = await open().current();
  const next = `other words of ${crypto.randomUUID()}`;
  const both = withVariables({ [NAME]: passphrase, [`${NAME}_NEW`]: next });
  const made = await both.rotate();
  expect(await both.current()).toEqual(made);
  const again = withVariables({ [NAME]: passphrase, [`${NAME}_NEW`]: next });
  expect(await again.current()).toEqual(made);
  expect(await again.find(before.id)).toEqual(before);
  expect(await caught(again.rotate())).toMatchObject({ code: 'invalid_input' });
  expect(await caught(open().current())).toMatchObject({ code: 'config_invalid' });
});

it('ends with one key where two make the first at once', async () => {
  const rings = [open(), open(), open()];
  const keys = await Promise.all([...rings, ...rings].map((ring) => ring.current()));
  expect(new Set(keys.map((key) => key.id)).size).toBe(1);
});

it('loses no key where two rotate at once, and never uses a salt twice', async () => {
  await open().current();
  const saltOf = () => JSON.parse(readFileSync(path, 'utf8')).derivation.salt;
  const salts = [saltOf()];
  const env = { [NAME]: passphrase, [`${NAME}_NEW`]: `other words of ${crypto.randomUUID()}` };
  const outcomes = await Promise.allSettled([withVariables(env).rotate(), withVariables(env).rotate()]);
  const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  expect(refused).toEqual([expect.objectContaining({ code: 'conflict' })]);
  for (const key of made) expect(await withVariables(env).find(key.id)).toEqual(key);
  salts.push(saltOf());
  expect(new Set(salts).size).toBe(2);
});

it('takes no other file for its own, and asks for no more memory than it allows itself', async () => {
  await open().current();
  const good = readFileSync(path, 'utf8');
  for (const [pattern, instead] of [
    [/"memory_kib": \d+/, '"memory_kib": 99999999'],
    [/"passes": \d+/, '"passes": 1000'],
    [/"format": 1/, '"format": 2'],
    [/\}\s*$/, ''],
  ] as const) {
    writeFileSync(path, good.replace(pattern, instead));
    expect(await caught(open().current())).toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(path),
    });
  }
});
