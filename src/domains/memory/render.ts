// Text forms of memories for models and people: short, with everything that came from the store marked as such.
import type { TextPart } from '../../kernel/operation.ts';
import type { Memory } from './schema.ts';

const SUMMARY_CHARS = 240;

/** What a writer is told of secrets that were found; null where there were none. */
export function secretsHint(kinds: readonly string[]): string | null {
  if (kinds.length === 0) return null;
  const found = [...new Set(kinds)].join(', ');
  return `Secrets were replaced by markers (${found}): keep each with store_in_vault, then write its vault/key here.`;
}

export function summarise(content: string, max_chars = SUMMARY_CHARS): string {
  const line = content.replace(/\s+/g, ' ').trim();
  return line.length <= max_chars ? line : `${line.slice(0, max_chars - 1).trimEnd()}…`;
}

type Shown = Pick<Memory, 'memory_id'> &
  Partial<Memory> & {
    readonly score?: number | undefined;
    readonly happened_at?: string | undefined;
    readonly content_truncated?: boolean | undefined;
    readonly duplicates?: readonly string[] | undefined;
    readonly neighbours?: readonly { memory_id: string; sequence: number | null; content: string }[] | undefined;
    readonly explain?: Readonly<Record<string, number>> | undefined;
  };

/** One memory as a header line, its content, and what a search says about it. */
export function card(memory: Shown): string {
  const facts = [
    memory.memory_id,
    memory.score === undefined ? undefined : `score ${memory.score.toFixed(3)}`,
    memory.category,
    memory.project ?? undefined,
    memory.happened_at ?? memory.occurred_at ?? memory.created_at,
    memory.tags?.length ? memory.tags.join(', ') : undefined,
    memory.superseded_by ? `superseded by ${memory.superseded_by}` : undefined,
  ].filter((fact) => fact !== undefined);
  const lines = [`[${facts.join(' · ')}]`];
  if (memory.content !== undefined) lines.push(memory.content);
  if (memory.content_truncated) lines.push('(cut; retrieve_memory gives all of it)');
  if (memory.context) lines.push(`context: ${memory.context}`);
  for (const turn of memory.neighbours ?? [])
    lines.push(`turn ${turn.sequence ?? '?'} [${turn.memory_id}]: ${turn.content}`);
  if (memory.duplicates?.length) lines.push(`nearly the same: ${memory.duplicates.join(', ')}`);
  if (memory.explain) lines.push(`score: ${explained(memory.explain)}`);
  return lines.join('\n');
}

function explained(parts: Readonly<Record<string, number>>): string {
  return Object.entries(parts)
    .map(([part, value]) => `${part} ${value.toFixed(3)}`)
    .join(' + ');
}

/** Fields that a card shows already, or that say nothing to its reader. */
const ON_THE_CARD: ReadonlySet<string> = new Set([
  'memory_id',
  'content',
  'category',
  'project',
  'tags',
  'context',
  'superseded_by',
  'history',
]);

/** The other fields of a record, a line each; empty ones are left out. */
export function fieldLines(memory: Memory): string[] {
  return Object.entries(memory).flatMap(([field, value]) => {
    if (ON_THE_CARD.has(field) || value === null || value === undefined) return [];
    if (typeof value !== 'object') return [`${field}: ${value}`];
    return Object.keys(value).length > 0 ? [`${field}: ${JSON.stringify(value)}`] : [];
  });
}

/** A list answer: a sentence, where its next page begins, then the memories as stored data. */
export function listText(sentence: string, memories: readonly Shown[], next_cursor: string | null = null): TextPart[] {
  const head: TextPart = {
    kind: 'text',
    text: next_cursor === null ? sentence : `${sentence} More with cursor=${next_cursor}`,
  };
  if (memories.length === 0) return [head];
  return [head, { kind: 'stored', text: memories.map(card).join('\n\n') }];
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
