// Where the configuration comes from, and what wins.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from './load.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'haivemind-config-'));
const withFile = (parts: string[], content: unknown) => {
  const root = folder();
  const path = join(root, ...parts);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return { root, path };
};

test('everything has a default', () => {
  const config = loadConfig({ HAIVEMIND_DATA_DIR: folder() }, folder());
  expect(config.server).toMatchObject({ host: '127.0.0.1', port: 8900, log_level: 'info' });
  expect(config.sync.port).toBe(8899);
  expect(config.file).toBeUndefined();
});

test('the environment wins over the file, the data directory over the installation', () => {
  const install = withFile(['config', 'config.json'], { remote_server: { port: 1111 }, sync: { port: 2222 } });
  const data = withFile(['config.json'], { remote_server: { port: 3333 } });
  expect(loadConfig({ HAIVEMIND_DATA_DIR: folder() }, install.root).server.port).toBe(1111);
  expect(loadConfig({ HAIVEMIND_DATA_DIR: data.root }, install.root).server.port).toBe(3333);
  expect(loadConfig({ HAIVEMIND_DATA_DIR: data.root, HAIVEMIND_PORT: '4444' }, install.root).server.port).toBe(4444);
});

test('the key file is in the data directory, or found from the file that names it', () => {
  const data_dir = folder();
  const keyFileOf = (install: string) => loadConfig({ HAIVEMIND_DATA_DIR: data_dir }, install).security.keyring.file;
  expect(keyFileOf(folder())).toBe(join(data_dir, 'keys', 'master.json'));
  const named = withFile(['config', 'config.json'], { security: { keyring: { file: '../secrets/keys.json' } } });
  expect(keyFileOf(named.root)).toBe(join(named.root, 'secrets', 'keys.json'));
});

test('a machine may be called as its host is', () => {
  const name = 'Hub_1.example-net.org';
  expect(loadConfig({ HAIVEMIND_DATA_DIR: folder(), HAIVEMIND_MACHINE_ID: name }, folder()).machine_id).toBe(name);
});

test('the shipped file is valid and says the defaults', () => {
  const root = join(import.meta.dirname, '..', '..');
  const shipped = loadConfig({ HAIVEMIND_DATA_DIR: '/nowhere' }, root);
  expect(shipped.file).toBe(join(root, 'config', 'config.json'));
  const { file: _shippedFile, $schema: _schema, ...settings } = shipped;
  const { file: _noFile, ...defaults } = loadConfig({ HAIVEMIND_DATA_DIR: '/nowhere' }, folder());
  expect(settings).toEqual(defaults);
});

test.each([
  ['{ not json', /cannot be read as JSON/],
  [{ remote_server: { port: 'x' } }, /remote_server\.port/],
  [{ storage: { colour: 'red' } }, /storage/],
  [{ claudeops: { machine_id: 'a/b' } }, /claudeops\.machine_id.*letters, digits/],
])('a file that says %j is refused with its place', (content, message) => {
  const { path } = withFile(['config.json'], content);
  expect(() => loadConfig({ HAIVEMIND_CONFIG: path }, folder())).toThrow(message as RegExp);
});

test.each([
  [{ HAIVEMIND_CONFIG: '/nowhere/config.json' }, /does not exist/],
  [{ HAIVEMIND_PORT: '99999' }, /not a port/],
  [{ HAIVEMIND_LOG_LEVEL: 'loud' }, /not a level/],
  [{ HAIVEMIND_MACHINE_ID: 'hub 1' }, /letters, digits/],
  [{ HAIVEMIND_MACHINE_ID: 'x'.repeat(129) }, /at most 128/],
])('the environment %j is refused', (env, message) => {
  expect(() => loadConfig(env, folder())).toThrow(message as RegExp);
});
