// Secrets in the texts of a record are replaced as on any other way into the store. What went out of a store without them
// comes back as it is: a marker is no secret.
import { type Redact, redactMetadata } from '../../../memory/index.ts';
import type { Json, JsonRecord } from '../canonical.ts';

/** `snapshot`: an earlier state of a memory. */
export type TextKind = 'text' | 'words' | 'metadata' | 'snapshot';
export type Texts = Readonly<Record<string, TextKind>>;

export async function withoutSecrets(redact: Redact, texts: Texts, record: JsonRecord): Promise<JsonRecord> {
  const out: Record<string, Json> = { ...record };
  for (const [field, kind] of Object.entries(texts)) {
    const value = record[field] ?? null;
    if (value !== null) out[field] = await CLEAN[kind](redact, value);
  }
  return out;
}

const text = async (redact: Redact, value: Json): Promise<Json> => (await redact(String(value))).text;

async function words(redact: Redact, value: Json): Promise<Json> {
  const out: string[] = [];
  for (const word of value as readonly string[]) out.push((await redact(word)).text);
  return out;
}

const metadata = async (redact: Redact, value: Json): Promise<Json> =>
  (await redactMetadata(redact, value as never, [])) as Json;

/** An earlier state of a memory, as its row had it. */
async function snapshot(redact: Redact, value: Json): Promise<Json> {
  const kept = value as JsonRecord;
  const clean = await withoutSecrets(redact, { content: 'text', context: 'text' }, kept);
  const before = JSON.parse(String(kept.metadata)) as Json;
  const after = await metadata(redact, before);
  // As it was written, byte by byte, where there was nothing to replace.
  return JSON.stringify(before) === JSON.stringify(after) ? clean : { ...clean, metadata: JSON.stringify(after) };
}

const CLEAN: Readonly<Record<TextKind, (redact: Redact, value: Json) => Promise<Json>>> = {
  text,
  words,
  metadata,
  snapshot,
};
