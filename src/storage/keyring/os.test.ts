// The key ring of the system, against a gnome-keyring of the test's own; and what is said where none answers.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KeyringServer, startKeyring } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { describeKeyRing } from '../../../test/support/keyring-suite.ts';
import { openKeyRing } from './index.ts';

const open = (service: string) =>
  openKeyRing({ source: 'os', file: '/nowhere', env: 'UNUSED', service }, { data_dir: '/nowhere', env: {} });

afterEach(() => void vi.unstubAllEnvs());

describeEngine('keyring', () => {
  let server: KeyringServer;
  beforeAll(async () => {
    server = await startKeyring();
  });
  afterAll(() => server?.stop());
  beforeEach(() => void vi.stubEnv('DBUS_SESSION_BUS_ADDRESS', server.address));

  describe('a key ring of the system', () => {
    describeKeyRing(() => {
      const service = `haivemind-${randomUUID()}`;
      return { open: () => open(service), rotate: async () => void (await open(service).rotate()) };
    });
  });

  it('loses no key where several make the first at once', async () => {
    const service = `haivemind-${randomUUID()}`;
    const keys = await Promise.all(Array.from({ length: 5 }, () => open(service).current()));
    for (const key of keys) expect(await open(service).find(key.id)).toEqual(key);
  });

  it('keeps services apart', async () => {
    const [one, other] = [open(`haivemind-${randomUUID()}`), open(`haivemind-${randomUUID()}`)];
    const { id } = await one.current();
    expect(await other.find(id)).toBeUndefined();
    expect((await other.current()).id).not.toBe(id);
  });

  it('tells a changed entry from a key', async () => {
    const service = `haivemind-${randomUUID()}`;
    const { id } = await open(service).current();
    const { Entry } = await import('@napi-rs/keyring');
    const entry = new Entry(service, `master key ${id}`, { linux: { store: 'secret-service' } });
    for (const change of [() => entry.setPassword('something else'), () => entry.deletePassword()]) {
      change();
      await expect(open(service).current()).rejects.toMatchObject({ code: 'config_invalid' });
    }
  });

  it('says that it cannot be used where nobody unlocks it', async () => {
    await using locked = await startKeyring({ unlocked: false });
    // In a process of its own: the library keeps the first bus it found.
    const module = JSON.stringify(join(import.meta.dirname, 'os.ts'));
    const program = `
      import { osKeyRing } from ${module};
      const made = await osKeyRing('haivemind').current().catch((error) => error);
      process.stdout.write(made.code ?? 'a key');
      process.exit(0);
    `;
    const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: locked.address };
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      env,
      encoding: 'utf8',
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'unavailable', stderr: '' });
  });
});

it.runIf(process.platform === 'linux')('says what to do on a machine without one', async () => {
  vi.stubEnv('DBUS_SESSION_BUS_ADDRESS', `unix:path=/nowhere/${randomUUID()}`);
  const ring = open('haivemind');
  for (const asked of [ring.current(), ring.find('x'), ring.rotate()])
    await expect(asked).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringMatching(/Secret Service.*file, env or passphrase/),
    });
});
