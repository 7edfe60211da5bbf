// Text forms of memories for models and people: short, with everything that came from the store marked as such.
import type { TextPart } from '../../kernel/operation.ts';
import type { Memory } from './schema.ts';

const SUMMARY_CHARS = 240;

export function summarise(content: string, max_chars = SUMMARY_CHARS): string {
  const line = content.replace(/\s+/g, ' ').trim();
  return line.length <= max_chars ? line : `${line.slice(0, max_chars - 1).trimEnd()}…`;
}

type Shown = Pick<Memory, 'memory_id'> & Partial<Memory> & { readonly score?: number | undefined };

/** One memory as a header line and its content. */
export function card(memory: Shown): string {
  const facts = [
    memory.memory_id,
    memory.score === undefined ? undefined : `score ${memory.score.toFixed(3)}`,
    memory.category,
    memory.project ?? undefined,
    memory.occurred_at ?? memory.created_at,
    memory.tags?.length ? memory.tags.join(', ') : undefined,
    memory.superseded_by ? `superseded by ${memory.superseded_by}` : undefined,
  ].filter((fact) => fact !== undefined);
  const lines = [`[${facts.join(' · ')}]`];
  if (memory.content !== undefined) lines.push(memory.content);
  if (memory.context) lines.push(`context: ${memory.context}`);
  return lines.join('\n');
}

/** A list answer: a sentence, then the memories as stored data. */
export function listText(sentence: string, memories: readonly Shown[]): TextPart[] {
  const head: TextPart = { kind: 'text', text: sentence };
  if (memories.length === 0) return [head];
  return [head, { kind: 'stored', text: memories.map(card).join('\n\n') }];
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
