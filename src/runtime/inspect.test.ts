// What `haivemind doctor` says of the key ring.
import { chmodSync, existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type App, openApp } from '../../test/support/open-app.ts';
import { openKeyRing } from '../storage/keyring/index.ts';

let app: App;

beforeEach(async () => {
  app = await openApp();
});
afterEach(() => app[Symbol.asyncDispose]());

const keyRingCheck = async () => (await app.runtime.inspect()).find((check) => check.name === 'key ring');

it('finds a key ring that can be reached, and makes nothing there', async () => {
  const { file } = app.config.security.keyring;
  expect(await keyRingCheck()).toEqual({ name: 'key ring', status: 'ok', detail: `file ${file}` });
  expect(existsSync(file)).toBe(false);
});

it.skipIf(process.platform === 'win32')('fails with the command that mends it', async () => {
  const { keyring } = app.config.security;
  await openKeyRing(keyring, { data_dir: app.data_dir, env: {} }).current();
  expect(await keyRingCheck()).toMatchObject({ status: 'ok' });
  chmodSync(keyring.file, 0o644);
  expect(await keyRingCheck()).toMatchObject({
    status: 'failed',
    detail: expect.stringContaining(keyring.file),
    fix: expect.stringContaining(`chmod 600 '${keyring.file}'`),
  });
});
