// Secrets reach a command by standard input, a file or the keyboard, and never by its arguments.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refusalOf } from '../../../test/support/open-app.ts';
import { readSecret } from './secret-input.ts';

let cwd: string;
let shown: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'haivemind-secret-'));
  shown = '';
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function io(chunks: readonly string[], stdinIsTTY = false) {
  const modes: boolean[] = [];
  const stdin = Object.assign(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), {
    ...(stdinIsTTY ? { setRawMode: (on: boolean) => modes.push(on) } : {}),
  });
  const write = (text: string) => {
    shown += text;
  };
  const stderr = { write, isTTY: stdinIsTTY, columns: 80 };
  return { stdin, stdinIsTTY, stderr, cwd, modes };
}

test('is read whole from a pipe, by default and for -', async () => {
  const value = 'two\nlines, ä and a blank \n';
  for (const given of [undefined, '-']) expect(await readSecret('value', given, io([value]))).toBe(value.slice(0, -1));
});

test('is read from a file', async () => {
  writeFileSync(join(cwd, 'key.pem'), 'abc\n');
  expect(await readSecret('value', '@key.pem', io([]))).toBe('abc');
});

test('is refused as text, without being repeated', async () => {
  for (const given of ['hunter2-hunter2', '@@hunter2-hunter2', '']) {
    const refused = await refusalOf(readSecret('value', given, io(['x'])));
    expect(refused.code).toBe('invalid_input');
    expect(JSON.stringify(refused)).not.toContain('hunter2');
  }
});

test('is typed without being shown, can be corrected and given up', async () => {
  const terminal = io(['pass', 'x\u007fwörd', '\rrest'], true);
  expect(await readSecret('value', undefined, terminal)).toBe('passwörd');
  expect(terminal.modes).toEqual([true, false]);
  expect(shown).not.toContain('pass');
  const left = io(['abc\u0003'], true);
  expect((await refusalOf(readSecret('value', undefined, left))).code).toBe('cancelled');
  expect(left.modes).toEqual([true, false]);
});
