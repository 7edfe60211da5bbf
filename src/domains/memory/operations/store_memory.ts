// store_memory: keep one piece of knowledge.
import { z } from 'zod';
import { defineOperation, type TextPart, WRITES } from '../../../kernel/operation.ts';
import { suggestV2 } from '../../format/index.ts';
import { secretsHint } from '../render.ts';
import { type StoreResult, storeMemory as store } from '../rules/store.ts';
import { newMemorySchema } from '../schema.ts';
import { callerOf, type MemoryDeps } from '../service.ts';

const output = z.object({
  memory_id: z.string().describe('Id of the memory.'),
  created: z.boolean().describe('False where the same text was there already.'),
  created_at: z.string().describe('When it was first stored.'),
  format_version: z.enum(['v1', 'v2']).describe('v1 verbose, v2 compressed notation.'),
  format_suggestion: z.string().nullable().describe('Shorter v2 form of verbose text.'),
  near_duplicate: z
    .object({ memory_id: z.string().describe('The twin.'), similarity: z.number().describe('0 to 1.') })
    .nullable()
    .describe('A memory that says nearly the same; both are kept.'),
  redacted: z.array(z.string()).describe('Kinds of secrets that were replaced by markers.'),
  hint: z.string().nullable().describe('What to do about the above.'),
});

export const storeMemory = defineOperation<MemoryDeps, typeof newMemorySchema, typeof output>({
  name: 'store_memory',
  title: 'Store memory',
  description:
    'Stores one piece of knowledge so that every agent of its scope can find it: a fix, a decision, a fact about a system. It is durable and searchable when this returns. The same text in the same scope gives the same id back; a near-duplicate is stored with a hint. Secrets are replaced by markers.',
  toolset: 'memory',
  core: true,
  input: newMemorySchema,
  output,
  effects: { ...WRITES, idempotent: true },
  permission: 'memory.write',
  rest: { method: 'POST', path: '/memories', status: 201 },
  cli: { group: 'memory', verb: 'store', positional: ['content'], alias: 'store' },
  examples: [
    {
      title: 'Remember a fix',
      input: {
        content: 'checkout 502s → ingress keepalive 60s > tomcat idle 10s; fix: upstream-keepalive-timeout=9',
        category: 'incidents',
        tags: ['ingress', 'tomcat'],
      },
    },
  ],
  async handle(deps, input, ctx) {
    const result = await store(deps, input, callerOf(ctx));
    const near_duplicate = result.twin ?? null;
    return {
      memory_id: result.memory_id,
      created: result.created,
      created_at: result.created_at,
      format_version: result.format_version,
      format_suggestion: (result.created ? suggestV2(result.content) : undefined) ?? null,
      near_duplicate,
      redacted: [...result.redacted],
      hint: hintFor(result, near_duplicate?.memory_id),
    };
  },
  text(out): TextPart[] {
    const lines = [out.created ? `Stored as ${out.memory_id}.` : `Already stored as ${out.memory_id}.`];
    if (out.hint) lines.push(out.hint);
    const parts: TextPart[] = [{ kind: 'text', text: lines.join('\n') }];
    if (out.format_suggestion === null) return parts;
    return [
      ...parts,
      { kind: 'text', text: 'A shorter v2 form of the text:' },
      { kind: 'stored', text: out.format_suggestion },
    ];
  },
});

function hintFor({ created, redacted, replaced, superseded_by }: StoreResult, twin: string | undefined): string | null {
  const hints: string[] = [];
  if (replaced && !created) hints.push(`It is current again and replaces ${replaced.memory_id}.`);
  else if (superseded_by)
    hints.push(
      `The same text was stored before and replaced by ${superseded_by}, so searches leave it out; store it with supersedes=${superseded_by} to make it current again.`,
    );
  else if (!created) hints.push('The same text was stored before; use update_memory to change its tags or context.');
  if (twin)
    hints.push(
      `${twin} says nearly the same: merge_duplicate_memories joins them, or store with supersedes=${twin} when this replaces it.`,
    );
  const secrets = secretsHint(redacted);
  if (secrets) hints.push(secrets);
  return hints.length > 0 ? hints.join(' ') : null;
}
