// Redaction of everything a writer says about a memory: text, context, and every text inside its metadata.
import { failure } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import type { NewMemory } from '../schema.ts';
import type { Redact } from './deps.ts';

type Metadata = NonNullable<NewMemory['metadata']>;
type Json = Metadata[string];

/** Redacts one text and notes the kinds of what it found in `kinds`. */
export async function redactText(redact: Redact, text: string, kinds: string[]): Promise<string> {
  const result = await redact(text);
  kinds.push(...result.findings.map((finding) => finding.kind));
  return result.text;
}

/**
 * Redacts the texts inside metadata. A value is judged together with its name, because `hunter2` alone is a word and
 * `password: hunter2` is not. Errors: `limit_exceeded` where the markers make it too large.
 */
export async function redactMetadata(redact: Redact, metadata: Metadata, kinds: string[]): Promise<Metadata> {
  const before = kinds.length;
  const clean = (await redactValue(redact, '', metadata, kinds)) as Metadata;
  if (kinds.length > before && Buffer.byteLength(JSON.stringify(clean)) > limits.metadata_size_max_bytes) {
    throw failure(
      'limit_exceeded',
      `metadata is larger than ${limits.metadata_size_max_bytes} bytes once its secrets are replaced by markers.`,
      'Leave the secrets out of it.',
    );
  }
  return clean;
}

async function redactValue(redact: Redact, name: string, value: Json, kinds: string[]): Promise<Json> {
  if (typeof value === 'string') return redactNamed(redact, name, value, kinds);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const item of value) items.push(await redactValue(redact, name, item, kinds));
    return items;
  }
  const entries: [string, Json][] = [];
  for (const [key, child] of Object.entries(value)) entries.push([key, await redactValue(redact, key, child, kinds)]);
  return Object.fromEntries(entries);
}

async function redactNamed(redact: Redact, name: string, value: string, kinds: string[]): Promise<string> {
  const prefix = `${name}: `;
  const named = await redact(prefix + value);
  if (named.findings.length === 0 || !named.text.startsWith(prefix)) return redactText(redact, value, kinds);
  kinds.push(...named.findings.map((finding) => finding.kind));
  return named.text.slice(prefix.length);
}
