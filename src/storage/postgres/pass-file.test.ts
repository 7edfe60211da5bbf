// The password file: which line counts, and what may be in its fields.
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { passFilePassword } from './pass-file.ts';

const PGPASSFILE = join(mkdtempSync(join(tmpdir(), 'haivemind-pgpass-')), 'pgpass');
function lookUp(url: string, lines: readonly string[], mode = 0o600) {
  writeFileSync(PGPASSFILE, lines.join('\n'));
  chmodSync(PGPASSFILE, mode);
  return passFilePassword(new URL(url), { PGPASSFILE });
}
const escaped = (text: string) => text.replace(/[\\:]/g, '\\$&');

test('the first line that fits counts', () => {
  const lines = ['# host:5432:db:user:no', 'other:*:*:*:a', 'host:5433:*:*:b', 'host:*:db:user:c', '*:*:*:*:d'];
  expect(lookUp('postgres://user@host/db', lines)).toBe('c');
  expect(lookUp('postgres://user@host:5433/db', lines)).toBe('b');
  expect(lookUp('postgres://user@third/db', lines)).toBe('d');
  expect(lookUp('postgres://user@third/db', lines.slice(0, 4))).toBeUndefined();
  expect(lookUp('postgres://us%er@host/db', ['*:*:*:us%er:p'])).toBe('p');
  expect(lookUp('postgres://user@[::1]/db', ['\\:\\:1:5432:db:user:six'])).toBe('six');
});

test('fields may hold colons and backslashes', () => {
  const text = fc.stringMatching(/^[!-~]{1,20}$/).filter((it) => it !== '*');
  fc.assert(
    fc.property(text, text, (user, password) => {
      const url = `postgres://${encodeURIComponent(user)}@host/db`;
      expect(lookUp(url, [`*:*:*:${escaped(user)}:${escaped(password)}`])).toBe(password);
    }),
    { numRuns: 50 },
  );
});

test.skipIf(process.platform === 'win32')('a file that others can read, or that is not there, gives none', () => {
  expect(lookUp('postgres://user@host/db', ['*:*:*:*:x'], 0o644)).toBeUndefined();
  expect(passFilePassword(new URL('postgres://user@host/db'), { PGPASSFILE: '/nowhere' })).toBeUndefined();
});
