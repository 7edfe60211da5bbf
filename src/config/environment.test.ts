// Environment variables that are set to nothing, as shells and unit files leave them, are unset.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'haivemind-env-'));
const NAMES = ['DATA_DIR', 'PORT', 'SYNC_PORT', 'HOST', 'CONFIG', 'LOG_LEVEL'].map((name) => `HAIVEMIND_${name}`);

test.each(NAMES)('%s', (name) => {
  const env = { XDG_DATA_HOME: folder };
  expect(loadConfig({ ...env, [name]: '' }, folder)).toEqual(loadConfig(env, folder));
});

test('the store is never put into the current directory by accident', () => {
  const { data_dir } = loadConfig({ HAIVEMIND_DATA_DIR: '', XDG_DATA_HOME: '' }, folder);
  expect(isAbsolute(data_dir)).toBe(true);
  expect(data_dir.startsWith(process.cwd())).toBe(false);
});
