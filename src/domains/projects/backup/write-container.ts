// Writes a backup: parts first, compressed and measured, to a place of their own; then head and parts to the file. Memory
// use does not grow with the project.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { SEALING_KEY_BYTES } from '../../../kernel/sealing.ts';
import { canonicalJson, type Json, type JsonRecord } from './canonical.ts';
import { damaged } from './errors.ts';
import { type About, MAGIC, type Manifest, type ManifestPart, SEALED_MAGIC } from './manifest.ts';
import { openStream, sealStream, sourceOf } from './sealed-stream.ts';

export interface PartSource {
  readonly name: string;
  /** In batches. */
  readonly records: AsyncIterable<readonly JsonRecord[]>;
}

/** A data key for one file, and what the file says of it. */
export interface FileKey {
  readonly key: Uint8Array;
  readonly said: { readonly master_key_id: string; readonly wrapped: string };
}

export interface Written {
  readonly manifest: Manifest;
  readonly sha256: string;
  readonly bytes: number;
}

/** Writes to `path`, which must not exist, and to the disk. What it leaves after a failure is the caller's to remove. */
export async function writeContainer(
  path: string,
  about: About,
  parts: Iterable<PartSource>,
  file_key: FileKey | undefined,
): Promise<Written> {
  // Never readable there: under a key that ends with this call.
  const spill = `${path}.parts`;
  const spill_key = randomBytes(SEALING_KEY_BYTES);
  try {
    const measured: ManifestPart[] = [];
    await writeAll(spill, sealStream(spill_key, ['spill'], compressed(parts, measured)));
    const manifest: Manifest = { ...about, parts: measured };
    const lost = () => damaged('end', 'what was written a moment ago cannot be read');
    const body = openStream(spill_key, ['spill'], sourceOf(createReadStream(spill)), lost);
    const plain = joined(head(MAGIC, manifest as unknown as Json), body);
    const out = file_key ? sealedForm(about, file_key, plain) : plain;
    const hash = createHash('sha256');
    const bytes = await writeAll(path, out, (piece) => hash.update(piece));
    return { manifest, sha256: hash.digest('hex'), bytes };
  } finally {
    await rm(spill, { force: true });
  }
}

async function* compressed(parts: Iterable<PartSource>, measured: ManifestPart[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    const plain = createHash('sha256');
    const stored = createHash('sha256');
    let records = 0;
    let bytes = 0;
    let stored_bytes = 0;
    async function* lines(): AsyncGenerator<Buffer> {
      for await (const batch of part.records) {
        if (batch.length === 0) continue;
        const text = Buffer.from(batch.map((record) => `${canonicalJson(record)}\n`).join(''));
        plain.update(text);
        records += batch.length;
        bytes += text.length;
        yield text;
      }
    }
    const gzip = createGzip();
    // A failure of the source comes out of the loop below: the pipeline ends the stream with it.
    const fed = pipeline(Readable.from(lines(), { objectMode: false }), gzip);
    fed.catch(() => {});
    for await (const piece of gzip as AsyncIterable<Buffer>) {
      stored.update(piece);
      stored_bytes += piece.length;
      yield piece;
    }
    await fed;
    measured.push({
      name: part.name,
      records,
      bytes,
      sha256: plain.digest('hex'),
      stored_bytes,
      stored_sha256: stored.digest('hex'),
    });
  }
}

/** Magic, one line of JSON, and the SHA-256 of both lines with their ends. */
function head(magic: string, value: Json): Buffer {
  const lines = `${magic}\n${canonicalJson(value)}\n`;
  return Buffer.from(`${lines}${createHash('sha256').update(lines).digest('hex')}\n`);
}

async function* joined(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

async function* sealedForm(about: About, { key, said }: FileKey, plain: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const lines = head(SEALED_MAGIC, { ...about, key: said } as unknown as Json);
  yield lines;
  yield* sealStream(key, sealedBinding(about.backup_id, lines), plain);
}

/** Chunks belong to one file and to what its head says. */
export function sealedBinding(backup_id: string, head_lines: Uint8Array): readonly string[] {
  return ['project-backup', backup_id, createHash('sha256').update(head_lines).digest('hex')];
}

async function writeAll(
  path: string,
  pieces: AsyncIterable<Buffer>,
  seen: (piece: Buffer) => void = () => {},
): Promise<number> {
  const file = await open(path, 'wx', 0o600);
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      seen(piece);
      bytes += await writePiece(file, piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return bytes;
}

async function writePiece(file: FileHandle, piece: Buffer): Promise<number> {
  for (let done = 0; done < piece.length; ) done += (await file.write(piece, done)).bytesWritten;
  return piece.length;
}
