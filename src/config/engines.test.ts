// Engines from file and environment: which of two passwords counts, and addresses that are no plain names.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toErrorBody } from '../kernel/errors.ts';
import { enginesOf, secretFiles } from './engines.ts';
import { configSchema } from './schema.ts';

const enginesFor = (storage: object, env: Readonly<Record<string, string>> = {}) =>
  enginesOf(configSchema.parse({ storage }).storage, env);

const refusal = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return toErrorBody(error);
  }
  throw new Error('It was not refused.');
};

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

test.each([
  ['postgres', 'postgres://user:SECRET@host/db', 'storage.postgres.password'],
  ['postgres', 'postgres://user@host/db?password=SECRET', 'storage.postgres.password'],
  ['postgres', 'postgres://user:SECRET/x@host/db', 'storage.postgres.password'],
  ['redis', 'redis://:SECRET@host:6379/0', 'storage.redis.password'],
  ['vectors', 'postgres://user:SECRET@host/db', 'storage.postgres.password'],
  ['chromadb', 'http://user:SECRET@host:8000', 'storage.chromadb.token'],
])('a password typed into the address of %s in the file is refused: %s', (section, pattern, instead) => {
  const secret = crypto.randomUUID();
  const said = refusal(() => enginesFor({ [section]: { url: pattern.replace('SECRET', secret) } }));
  expect(said).toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining(`storage.${section}.url`),
    hint: expect.stringContaining(instead),
  });
  expect(JSON.stringify(said)).not.toContain(secret);
});

test('the environment may carry a password, and an address of IPv6 has none', () => {
  const url = `postgres://user:${crypto.randomUUID()}@host/db`;
  expect(enginesFor({}, { HAIVEMIND_DATABASE_URL: url }).postgres?.url).toBe(url);
  expect(enginesFor({ redis: { url: 'redis://[::1]:6379/0' } }).redis?.url).toBe('redis://[::1]:6379/0');
});

test('a relative file: path starts from the folder of the configuration, and an empty file is no secret', () => {
  const folder = mkdtempSync(join(tmpdir(), 'haivemind-secret-'));
  const secret = crypto.randomUUID();
  writeFileSync(join(folder, 'pass'), `${secret}\n`);
  const { storage } = configSchema.parse({ storage: { redis: { host: 'host', password: 'file:pass' } } });
  expect(enginesOf(storage, {}, folder).redis?.password).toBe(secret);
  expect(secretFiles(storage, folder)).toEqual([{ field: 'storage.redis.password', path: join(folder, 'pass') }]);
  writeFileSync(join(folder, 'pass'), '\n');
  expect(refusal(() => enginesOf(storage, {}, folder))).toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('is empty'),
  });
});
