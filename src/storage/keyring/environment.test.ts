// The key ring in a variable.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeKeyRing, expectWithout } from '../../../test/support/keyring-suite.ts';
import { openKeyRing } from './index.ts';

const NAME = 'SOME_MASTER_KEY';
const settings = { source: 'env', file: '/nowhere', env: NAME, service: 'unused' } as const;
const withValue = (value: string | undefined) =>
  openKeyRing(settings, { data_dir: '/nowhere', env: { [NAME]: value } });
const fresh = () => randomBytes(32);

describe('a key ring in a variable', () => {
  describeKeyRing(() => {
    let value = fresh().toString('base64');
    return {
      open: () => withValue(value),
      rotate: async () => {
        value = `${fresh().toString('base64')},${value}`;
      },
    };
  });
});

it('names a key the same in both alphabets of base64 and with spaces around it', async () => {
  const key = fresh();
  const ids = [key.toString('base64'), key.toString('base64url'), ` ${key.toString('base64')}\n`].map(
    async (value) => (await withValue(value).current()).id,
  );
  expect(new Set(await Promise.all(ids)).size).toBe(1);
});

it('takes the first for the current one', async () => {
  const [first, second] = [fresh(), fresh()];
  const ring = withValue(`${first.toString('base64')}, ${second.toString('base64')}`);
  expect(Buffer.from((await ring.current()).key)).toEqual(first);
});

it('says what to do where a new key is wanted', async () => {
  const key = fresh();
  const error = await withValue(key.toString('base64'))
    .rotate()
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining(NAME) });
  expectWithout(error, key);
});

it('refuses what is missing or no key, without showing it', async () => {
  const key = fresh();
  const good = key.toString('base64');
  const values = [
    undefined,
    '',
    '  ',
    ',',
    `${good},`,
    good.slice(1),
    `${good}AAAA`,
    key.toString('hex'),
    'passphrase of mine',
  ];
  for (const value of values) {
    for (const ask of [withValue(value).current(), withValue(value).find('x'), withValue(value).rotate()]) {
      const error = await ask.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining(NAME) });
      expectWithout(error, key, 'passphrase of mine');
    }
  }
});
