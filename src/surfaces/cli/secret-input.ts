// A secret on its way in: from standard input, from a file, or typed without an echo. Never from the command line itself,
// which every user of the machine can read while the command runs, and which shells keep.
import { StringDecoder } from 'node:string_decoder';
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import type { CliIo } from './contract.ts';
import { readText } from './read-text.ts';

type Io = Pick<CliIo, 'stdin' | 'stdinIsTTY' | 'stderr' | 'cwd'>;

/** `given`: what stands after the flag, if anything. Rejects with `invalid_input`, and as `readText`. */
export async function readSecret(flag: string, given: string | undefined, io: Io): Promise<string> {
  if (given === undefined && io.stdinIsTTY) return typed(flag, io);
  const source = given ?? '-';
  if (source !== '-' && !/^@[^@]/.test(source)) throw secretAsText(flag);
  const secret = await readText(source, io);
  if (secret === '') throw failure('invalid_input', `--${flag} is empty.`, hintFor(flag));
  return secret;
}

/** Does not repeat what was given. */
export function secretAsText(flag: string, problem = ''): HaivemindError {
  const reason = `--${flag} takes no text: whatever stands on a command line can be read by others.`;
  return failure('invalid_input', [problem, reason].join(' ').trim(), hintFor(flag));
}

function hintFor(flag: string): string {
  return `Pipe it in, or write --${flag} @file; at a terminal leave --${flag} out and type it.`;
}

/** A terminal that can be told not to show what is typed. */
interface Terminal {
  setRawMode(on: boolean): unknown;
}

async function typed(flag: string, io: Io): Promise<string> {
  const terminal = terminalOf(io.stdin);
  if (!terminal)
    throw failure('invalid_input', `--${flag} is missing.`, 'Pipe it in, for example from a password manager.');
  io.stderr.write(`${flag} (not shown): `);
  terminal.setRawMode(true);
  try {
    return await readLine(io.stdin);
  } finally {
    terminal.setRawMode(false);
    io.stderr.write('\n');
  }
}

function terminalOf(stdin: CliIo['stdin']): Terminal | undefined {
  const candidate = stdin as CliIo['stdin'] & Partial<Terminal>;
  return typeof candidate.setRawMode === 'function' ? (candidate as unknown as Terminal) : undefined;
}

const ENTER = new Set(['\r', '\n', '\u0004']);
const BACKSPACE = new Set(['\u007f', '\b']);
const INTERRUPT = '\u0003';

/** Raw mode leaves editing and interrupting to the program. */
async function readLine(stdin: CliIo['stdin']): Promise<string> {
  const decoder = new StringDecoder('utf8');
  const line: string[] = [];
  for await (const chunk of stdin) {
    for (const char of decoder.write(Buffer.from(chunk))) {
      if (ENTER.has(char)) return line.join('');
      if (char === INTERRUPT) throw failure('cancelled', 'Nothing was stored.', 'Run it again to store a value.');
      if (BACKSPACE.has(char)) line.pop();
      else line.push(char);
    }
  }
  return line.join('');
}
