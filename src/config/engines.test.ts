// Engines from file and environment: which of two passwords counts, and addresses that are no plain names.
import { expect, test } from 'vitest';
import { enginesOf } from './engines.ts';
import { configSchema } from './schema.ts';

const enginesFor = (storage: object, env: Readonly<Record<string, string>> = {}) =>
  enginesOf(configSchema.parse({ storage }).storage, env);

test('a password in the URL of the environment is not replaced by the one the file names', () => {
  const [inside, apart] = [crypto.randomUUID(), crypto.randomUUID()];
  const redis = { url: 'redis://elsewhere', password: 'env:REDIS_SECRET' };
  const env = { REDIS_SECRET: apart };
  const withPassword = `redis://:${inside}@host:6379`;
  expect(enginesFor({ redis }, { ...env, HAIVEMIND_REDIS_URL: withPassword }).redis).toEqual({
    url: withPassword,
    prefix: 'haivemind:',
  });
  expect(enginesFor({ redis }, { ...env, HAIVEMIND_REDIS_URL: 'redis://host' }).redis).toMatchObject({
    url: 'redis://host',
    password: apart,
  });
});

test.each(['::1', '[::1]'])('a host of Redis may be an address of IPv6: %s', (host) => {
  expect(enginesFor({ redis: { host } }).redis?.url).toBe('redis://[::1]:6379/0');
});
