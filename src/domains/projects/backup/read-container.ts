// Reads a backup and believes nothing of it: head, lengths, hashes, compression, form of every line. The one reader of
// verifying, listing and restoring.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import type { z } from 'zod';
import { failure, HaivemindError } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import { jsonDepthExceeds } from '../../../kernel/text-safety.ts';
import { type ByteSource, byteSource } from './byte-source.ts';
import { canonicalJson, type Json, type JsonRecord } from './canonical.ts';
import { damaged } from './errors.ts';
import {
  type About,
  aboutOf,
  HEAD_LINE_MAX_BYTES,
  MAGIC,
  type Manifest,
  type ManifestPart,
  manifestSchema,
  SEALED_MAGIC,
  type SealedHeader,
  sealedHeaderSchema,
} from './manifest.ts';
import { openStream } from './sealed-stream.ts';
import { sealedBinding } from './write-container.ts';

/** Gives the data key of a sealed file. Rejects with `unavailable` where the master key is not here. */
export type OpenKey = (header: SealedHeader) => Promise<Uint8Array>;

export interface ReadOptions {
  /** Throws what is wrong with it. */
  readonly manifest?: (manifest: Manifest) => void;
  /** Of the parts look at this one alone; the others are measured as they lie there. */
  readonly only?: string;
}

/** Records of a part, in their order. */
export interface Batch {
  readonly part: string;
  readonly records: readonly JsonRecord[];
}

export interface ReadBackup {
  readonly manifest: Manifest;
  readonly encryption: 'none' | 'keyring';
  /** Of the whole file. */
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Yields all records and returns what was read, once all of it is known to be as it was written. Throws `storage_corrupt`
 * with the part's name as `details.part`: a batch that was yielded before is worth nothing then.
 */
export async function* readContainer(
  pieces: AsyncIterable<Uint8Array>,
  open_key: OpenKey,
  options: ReadOptions = {},
): AsyncGenerator<Batch, ReadBackup> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
  }
  const outer = byteSource(hashed());
  const first = await headOf(outer, 'header');
  let manifest: Manifest;
  if (first.magic === SEALED_MAGIC) {
    const header = parsed(sealedHeaderSchema, first.json, 'header');
    const key = await open_key(header);
    let current = 'manifest';
    const broken = (cause?: unknown) => damaged(current, 'its sealed bytes do not open', cause);
    const inner = byteSource(openStream(key, sealedBinding(header.backup_id, first.lines), outer, broken));
    const second = await headOf(inner, 'manifest');
    if (second.magic !== MAGIC) throw damaged('manifest', 'it does not begin as a backup');
    manifest = parsed(manifestSchema, second.json, 'manifest');
    const { key: _, ...said } = header;
    if (canonicalJson(said as unknown as Json) !== canonicalJson(aboutOf(manifest) as unknown as Json))
      throw damaged('header', 'it says something else than the manifest');
    yield* readParts(inner, manifest, options, (part) => {
      current = part;
    });
  } else {
    manifest = parsed(manifestSchema, first.json, 'manifest');
    yield* readParts(outer, manifest, options, () => {});
  }
  // Reads what may follow a sealed stream as well.
  if (!(await outer.ended())) throw damaged('end', 'something follows that does not belong to it');
  const encryption = first.magic === SEALED_MAGIC ? 'keyring' : 'none';
  return { manifest, encryption, sha256: hash.digest('hex'), bytes };
}

export interface Said {
  readonly about: About;
  readonly encryption: 'none' | 'keyring';
  /** Absent where the manifest is sealed. */
  readonly counts: Counts | undefined;
}

/** Throws `limit_exceeded` for more than a hub reads. Whatever is compressed to nothing is measured as it comes out. */
export function assertSize({ bytes, records }: { readonly bytes: number; readonly records: number }): void {
  const max_bytes = limits.project_backup_plain_max_bytes;
  const max_records = limits.project_backup_records_max_count;
  if (bytes <= max_bytes && records <= max_records) return;
  throw failure(
    'limit_exceeded',
    `The backup holds ${records} records of ${bytes} bytes; a hub reads ${max_records} records of ${max_bytes} bytes.`,
    'Back the project up without its history (include_history=false), or in several projects.',
  );
}

/** What a file says about itself, from its first lines; the rest is not looked at. Errors: `storage_corrupt` by part. */
export async function readAbout(pieces: AsyncIterable<Uint8Array>): Promise<Said> {
  const { magic, json } = await headOf(byteSource(pieces), 'header');
  if (magic === MAGIC) {
    const manifest = parsed(manifestSchema, json, 'manifest');
    return { about: aboutOf(manifest), encryption: 'none', counts: countsOf(manifest) };
  }
  const { key: _, ...about } = parsed(sealedHeaderSchema, json, 'header');
  return { about, encryption: 'keyring', counts: undefined };
}

export type Counts = Readonly<Record<string, number>>;

export function countsOf({ parts }: Manifest): Counts {
  return Object.fromEntries(parts.map(({ name, records }) => [name, records]));
}

/** Decoded at once: some hundred records. */
const BATCH_BYTES = 256 * 1024;

interface Head {
  readonly magic: string;
  readonly json: string;
  /** All three lines with their ends. */
  readonly lines: Buffer;
}

async function headOf(source: ByteSource, part: string): Promise<Head> {
  const magic = (await source.line(MAGIC.length + SEALED_MAGIC.length))?.toString('latin1');
  if (magic !== MAGIC && magic !== SEALED_MAGIC) throw damaged(part, 'it does not begin as a backup');
  const inside = magic === MAGIC ? 'manifest' : 'header';
  const json = await source.line(HEAD_LINE_MAX_BYTES);
  const sum = await source.line(64);
  if (!json || !sum) throw damaged(inside, 'it ends too early');
  const said = Buffer.concat([Buffer.from(`${magic}\n`), json, Buffer.from('\n')]);
  if (createHash('sha256').update(said).digest('hex') !== sum.toString('latin1'))
    throw damaged(inside, 'it is not what was written');
  return { magic, json: json.toString('utf8'), lines: Buffer.concat([said, sum, Buffer.from('\n')]) };
}

function parsed<T>(schema: z.ZodType<T>, json: string, part: string): T {
  let value: unknown;
  assertFlat(json, part, 'it');
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw damaged(part, 'it is no JSON', cause);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw damaged(part, `${issue?.path.join('.') || 'it'} is not as it has to be`, result.error);
}

async function* readParts(
  source: ByteSource,
  manifest: Manifest,
  { manifest: check, only }: ReadOptions,
  begins: (part: string) => void,
): AsyncGenerator<Batch, void> {
  assertSize({ bytes: sumOf(manifest, 'bytes'), records: sumOf(manifest, 'records') });
  check?.(manifest);
  const names = new Set(manifest.parts.map(({ name }) => name));
  if (names.size !== manifest.parts.length) throw damaged('manifest', 'a part is named twice');
  for (const part of manifest.parts) {
    begins(part.name);
    if (only !== undefined && only !== part.name) await passOver(source, part);
    else yield* readPart(source, part);
  }
  begins('end');
  if (!(await source.ended())) throw damaged('end', 'something follows that does not belong to it');
}

function sumOf({ parts }: Manifest, field: 'bytes' | 'records'): number {
  return parts.reduce((sum, part) => sum + part[field], 0);
}

async function passOver(source: ByteSource, { name, stored_bytes, stored_sha256 }: ManifestPart): Promise<void> {
  const stored = createHash('sha256');
  for await (const piece of source.section(stored_bytes, () => damaged(name, 'it ends too early')))
    stored.update(piece);
  if (stored.digest('hex') !== stored_sha256) throw damaged(name, 'its SHA-256 is not that of the manifest');
}

async function* readPart(source: ByteSource, part: ManifestPart): AsyncGenerator<Batch, void> {
  const { name } = part;
  const stored = createHash('sha256');
  const plain = createHash('sha256');
  let bytes = 0;
  let records = 0;
  async function* section(): AsyncGenerator<Buffer> {
    for await (const piece of source.section(part.stored_bytes, () => damaged(name, 'it ends too early'))) {
      stored.update(piece);
      yield piece;
    }
  }
  const gunzip = createGunzip({ chunkSize: BATCH_BYTES });
  const fed = pipeline(Readable.from(section(), { objectMode: false }), gunzip);
  fed.catch(() => {});
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const piece of gunzip as AsyncIterable<Buffer>) {
      plain.update(piece);
      bytes += piece.length;
      if (bytes > part.bytes) throw damaged(name, 'it is longer than the manifest says');
      const all: Buffer = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      const end = all.lastIndexOf(0x0a) + 1;
      rest = all.subarray(end);
      if (rest.length > limits.project_backup_line_max_bytes) throw damaged(name, 'one of its lines is too long');
      if (end === 0) continue;
      const batch = recordsIn(name, all.subarray(0, end));
      records += batch.length;
      if (records > part.records) throw damaged(name, 'it has more records than the manifest says');
      yield { part: name, records: batch };
      // A file may be long: others have their turn between its batches.
      await setImmediate();
    }
    await fed;
  } catch (error) {
    if (error instanceof HaivemindError) throw error;
    if (!isOfCompression(error)) throw error;
    throw damaged(name, 'its compressed bytes are not what was written', error);
  }
  if (stored.digest('hex') !== part.stored_sha256 || plain.digest('hex') !== part.sha256)
    throw damaged(name, 'its SHA-256 is not that of the manifest');
  if (rest.length > 0 || bytes !== part.bytes || records !== part.records)
    throw damaged(name, 'its length is not that of the manifest');
}

function isOfCompression(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && /^(Z_|ERR_ZLIB|ERR_STREAM_PREMATURE_CLOSE)/.test(String(error.code))
  );
}

function recordsIn(part: string, bytes: Buffer): JsonRecord[] {
  const lines = bytes.toString('utf8').split('\n');
  lines.pop();
  return lines.map((line) => {
    let value: Json;
    assertFlat(line, part, 'one of its lines');
    try {
      value = JSON.parse(line) as Json;
    } catch (cause) {
      throw damaged(part, 'one of its lines is no JSON', cause);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw damaged(part, 'one of its lines is no record');
    if (canonicalJson(value) !== line) throw damaged(part, 'one of its lines is not in canonical form');
    if (line.includes('\\u0000') && hasNul(value)) throw damaged(part, 'a text in it has a NUL, which no store keeps');
    return value as JsonRecord;
  });
}

/** A record is the fields of a row, and what they hold is as deep as an input may be. */
const RECORD_DEPTH_MAX_LEVELS = limits.json_depth_max_levels + 4;

/** On the text, before anything walks through its levels by calling itself. */
function assertFlat(json: string, part: string, what: string): void {
  if (jsonDepthExceeds(json, RECORD_DEPTH_MAX_LEVELS)) throw damaged(part, `${what} is nested too deep`);
}

function hasNul(value: Json): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, child]) => key.includes('\0') || hasNul(child as Json));
}
