// The key ring in a file: modes, damage, and several processes at once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeKeyRing, expectWithout } from '../../../test/support/keyring-suite.ts';
import { openKeyRing } from './index.ts';

let data_dir: string;
let path: string;

beforeEach(() => {
  data_dir = mkdtempSync(join(tmpdir(), 'haivemind-keyring-'));
  path = join(data_dir, 'keys', 'master.json');
});
afterEach(() => rmSync(data_dir, { recursive: true, force: true }));

const open = () =>
  openKeyRing({ source: 'file', file: path, env: 'UNUSED', service: 'unused' }, { data_dir: '/nowhere', env: {} });

describe('a key ring in a file', () => {
  describeKeyRing(() => ({ open, rotate: async () => void (await open().rotate()) }));
});

it('is made by the first question for a key, and by nothing before', async () => {
  const ring = open();
  await ring.find('any');
  expect(readdirSync(data_dir)).toEqual([]);
  await ring.current();
  expect(readdirSync(join(data_dir, 'keys'))).toEqual(['master.json']);
  expect(ring.place).toBe(`file ${path}`);
});

it.skipIf(process.platform === 'win32')('is for its owner alone, also after a rotation', async () => {
  const umask = process.umask(0);
  try {
    for (const ask of [() => open().current(), () => open().rotate()]) {
      await ask();
      expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
      expect((statSync(join(data_dir, 'keys')).mode & 0o777).toString(8)).toBe('700');
    }
  } finally {
    process.umask(umask);
  }
});

it.skipIf(process.platform === 'win32')('is not read where others can, and says how to mend it', async () => {
  const { key, id } = await open().current();
  for (const mode of [0o640, 0o604, 0o620, 0o644]) {
    chmodSync(path, mode);
    for (const ask of [open().current(), open().find(id), open().rotate()]) {
      const error = await ask.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'config_invalid', hint: expect.stringContaining(`chmod 600 '${path}'`) });
      expectWithout(error, key);
    }
  }
  chmodSync(path, 0o600);
  expect((await open().current()).id).toBe(id);
});

it('tells damage from a key, without quoting it', async () => {
  const { key } = await open().current();
  const good = readFileSync(path, 'utf8');
  const flipped = good.replace(
    /("key": ")(.)/,
    (_, before: string, first: string) => before + (first === 'A' ? 'B' : 'A'),
  );
  const cases = ['', '{}', good.slice(0, -20), good.replace('"key": "', '"key": '), flipped, good.replace('1', '2')];
  for (const damaged of cases) {
    writeFileSync(path, damaged);
    const error = await open()
      .current()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining(path) });
    expectWithout(error, key);
    expect(readFileSync(path, 'utf8')).toBe(damaged);
  }
});

it('says so where the place cannot be written to', async () => {
  writeFileSync(join(data_dir, 'keys'), 'in the way');
  const asked = open().current();
  await expect(asked).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining(path) });
});

it('leaves a rotation to the one process that is at it', async () => {
  const { id } = await open().current();
  writeFileSync(`${path}.lock`, '');
  await expect(open().rotate()).rejects.toMatchObject({ code: 'conflict', hint: expect.stringContaining('.lock') });
  expect((await open().current()).id).toBe(id);
  rmSync(`${path}.lock`);
  expect((await open().rotate()).id).not.toBe(id);
  expect(existsSync(`${path}.lock`)).toBe(false);
});

const PROCESSES = 6;

/** Lets processes wait for a common moment, so that they meet; each prints what it got. */
async function together(work: string): Promise<string[]> {
  const module = JSON.stringify(join(import.meta.dirname, 'file.ts'));
  const program = `
    import { fileKeyRing } from ${module};
    const ring = fileKeyRing(${JSON.stringify(path)});
    process.stdout.write('ready\\n');
    process.stdin.once('data', async () => { process.stdout.write(await (${work})(ring)); process.exit(0); });
  `;
  const children = Array.from({ length: PROCESSES }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  await Promise.all(children.map((child) => once(child.stdout, 'readable')));
  const answers = children.map((child) => text(child.stdout));
  for (const child of children) child.stdin.write('go\n');
  return (await Promise.all(answers)).map((answer) => answer.replace('ready\n', ''));
}

it('ends with one key where several processes make the first at once', async () => {
  const ids = await together('async (ring) => (await ring.current()).id');
  expect(new Set(ids)).toEqual(new Set([(await open().current()).id]));
  expect(ids).toHaveLength(PROCESSES);
  expect(readdirSync(join(data_dir, 'keys'))).toEqual(['master.json']);
});

it('loses no key where several processes rotate at once', async () => {
  const untilDone = `async (ring) => {
    for (;;) {
      const made = await ring.rotate().catch((error) => { if (error.code !== 'conflict') throw error; });
      if (made) return made.id;
    }
  }`;
  const ids = await together(untilDone);
  expect(new Set(ids).size).toBe(PROCESSES);
  for (const id of ids) expect(await open().find(id)).toMatchObject({ id });
});
