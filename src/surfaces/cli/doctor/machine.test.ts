// Doctor's look at files of secrets and of keys.
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkKeyFile, checkSecretFiles } from './machine.ts';

test.skipIf(process.platform === 'win32')(
  'a secret that others can read is a warning with the command that mends it',
  () => {
    const path = join(mkdtempSync(join(tmpdir(), 'haivemind-secret-')), 'password');
    writeFileSync(path, crypto.randomUUID());
    const look = (mode: number) => {
      chmodSync(path, mode);
      return checkSecretFiles([{ field: 'storage.postgres.password', path }])[0];
    };
    for (const mode of [0o644, 0o640, 0o604])
      expect(look(mode)).toMatchObject({ status: 'degraded', fix: `chmod 600 '${path}'` });
    for (const mode of [0o600, 0o400]) expect(look(mode)).toMatchObject({ status: 'ok' });
    expect(checkSecretFiles([], 'linux')).toEqual([]);
    expect(checkSecretFiles([{ field: 'x', path }], 'win32')).toEqual([]);
  },
);

test.skipIf(process.platform === 'win32')(
  'a key file that others can get at fails, one that is not there is well',
  () => {
    const path = join(mkdtempSync(join(tmpdir(), 'haivemind-secret-')), 'master.json');
    expect(checkKeyFile(path)).toMatchObject({ status: 'ok' });
    writeFileSync(path, crypto.randomUUID());
    for (const mode of [0o644, 0o640, 0o602]) {
      chmodSync(path, mode);
      expect(checkKeyFile(path)).toMatchObject({ status: 'failed', fix: `chmod 600 '${path}'` });
      expect(checkKeyFile(path, 'win32')).toMatchObject({ status: 'ok' });
    }
    chmodSync(path, 0o600);
    expect(checkKeyFile(path)).toEqual({ name: 'key file', status: 'ok', detail: path });
  },
);
