// `haivemind project backup --out` and `project restore --file`: the file of a backup out of a hub and into one, encrypted
// with age (https://age-encryption.org/v1) on this side where that is wanted, so that no hub ever sees the private key.
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { Decrypter, Encrypter } from 'age-encryption';
import type { Command } from 'commander';
import { failure } from '../../../kernel/errors.ts';
import type { OperationClient } from '../client.ts';
import type { CliContext } from '../contract.ts';
import type { GlobalOptions } from '../globals.ts';
import type { Around } from '../operation-command.ts';
import { writeWhole } from './write-whole.ts';

interface OutFlags extends GlobalOptions {
  readonly out?: string;
  readonly recipient?: readonly string[];
}

interface FileFlags extends GlobalOptions {
  readonly file?: readonly string[];
  readonly identity?: string;
}

const several = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** What the command of an operation does with files before and after its call; undefined where it does nothing. */
export function projectFiles(name: string, command: Command, ctx: CliContext): Around | undefined {
  if (name === 'backup_project') {
    command
      .option('-o, --out <file>', 'copy the backup to this new file')
      .option('--recipient <age1...>', 'encrypt that copy with age for this public key; may be repeated', several);
    return outAround(ctx);
  }
  if (name !== 'restore_project') return undefined;
  command
    .option('--file <file>', 'bring this file to the hub first; may be repeated, the last is restored', several)
    .option('--identity <file>', 'private key of files encrypted with age; it stays on this machine');
  return inAround(ctx);
}

function outAround(ctx: CliContext): Around {
  return {
    async before(_client, input, flags: OutFlags) {
      if (flags.recipient && flags.out === undefined)
        throw failure('invalid_input', '--recipient encrypts the copy of --out.', 'Give --out <file> as well.');
      if (flags.out !== undefined && (await exists(resolve(ctx.io.cwd, flags.out))))
        throw failure('conflict', `${flags.out} exists.`, 'Choose a new name: a backup overwrites nothing.');
      encrypterFor(flags.recipient ?? []);
      return input;
    },
    async after(client, answer, flags: OutFlags) {
      if (flags.out === undefined) return answer;
      const path = resolve(ctx.io.cwd, flags.out);
      const pieces = client.backupOut(String(answer.backup_id), { signal: ctx.io.signal });
      const encrypter = encrypterFor(flags.recipient ?? []);
      const bytes = await writeWhole(path, encrypter ? await encrypted(encrypter, pieces) : pieces);
      return { ...answer, out: path, out_bytes: bytes };
    },
  };
}

function encrypterFor(recipients: readonly string[]): Encrypter | undefined {
  if (recipients.length === 0) return undefined;
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (cause) {
      throw failure('invalid_input', `${JSON.stringify(recipient)} is no age recipient.`, 'It begins with age1.', {
        cause,
      });
    }
  }
  return encrypter;
}

async function encrypted(encrypter: Encrypter, pieces: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const plain = Readable.toWeb(Readable.from(pieces)) as unknown as ReadableStream<Uint8Array>;
  return (await encrypter.encrypt(plain)) as unknown as AsyncIterable<Uint8Array>;
}

function inAround(ctx: CliContext): Around {
  return {
    async before(client, input, flags: FileFlags) {
      if (flags.file === undefined) return input;
      let backup_id = '';
      for (const file of flags.file) backup_id = (await bring(client, file, flags, ctx)).backup_id;
      return { backup_id, ...input };
    },
  };
}

async function bring(client: OperationClient, file: string, flags: FileFlags, ctx: CliContext) {
  const path = resolve(ctx.io.cwd, file);
  if (!(await exists(path))) throw failure('not_found', `There is no file ${path}.`, 'Check the path.');
  const pieces = createReadStream(path);
  const plain = flags.identity === undefined ? pieces : await decrypted(pieces, flags.identity, ctx);
  return client.backupIn(plain, { signal: ctx.io.signal });
}

async function decrypted(pieces: Readable, identity: string, ctx: CliContext): Promise<AsyncIterable<Uint8Array>> {
  const text = await readFile(resolve(ctx.io.cwd, identity), 'utf8').catch((cause: unknown) => {
    throw failure('invalid_input', `${identity} cannot be read.`, 'Check the path and its permissions.', { cause });
  });
  const decrypter = new Decrypter();
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith('AGE-SECRET-KEY-'));
  for (const line of lines) decrypter.addIdentity(line.trim());
  try {
    const opened = await decrypter.decrypt(Readable.toWeb(pieces) as unknown as ReadableStream<Uint8Array>);
    return opened as unknown as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw failure(
      'invalid_input',
      'The file does not open: it is no age file, was changed, or is for another key.',
      'Use the identity it was encrypted for; without --identity for a file that is not encrypted with age.',
      { cause },
    );
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
