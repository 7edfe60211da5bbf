// Malformed input of every kind: an import never throws, always ends with `done`, and its ids can be stored.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { collect, collectText, inPieces } from '../../../../test/samples/imports/collect.ts';
import { ID_PATTERN } from '../../../kernel/ids.ts';
import { limits } from '../../../kernel/limits.ts';
import type { ImportItem } from './index.ts';

const field = fc.constantFrom(
  'type',
  'message',
  'content',
  'role',
  'text',
  'uuid',
  'sessionId',
  'mapping',
  'current_node',
  'chat_messages',
  'sender',
  'parent',
  'children',
  'parts',
  'author',
  'id',
  'summary',
  'tags',
  'metadata',
  'title',
  'name',
  'isSidechain',
  'agentId',
  'timestamp',
  'create_time',
  'attachments',
  'files',
  'messages',
  'conversation_id',
  'category',
  'sequence',
  'occurred_at',
);
const word = fc.constantFrom(
  'user',
  'assistant',
  'system',
  'tool_use',
  'tool_result',
  'text',
  'a',
  'human',
  'summary',
  '__proto__',
);
const value = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: 'binary', maxLength: 20 }),
    word,
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(field, word), tie('node'), { maxKeys: 6 }),
  ),
})).node;

function checkItem(item: ImportItem): void {
  expect(item.external_id).toMatch(ID_PATTERN);
  expect(item.external_id.length).toBeLessThanOrEqual(limits.id_length_max_chars);
  if (item.session_id !== undefined) expect(item.session_id).toMatch(ID_PATTERN);
  expect(item.content.isWellFormed()).toBe(true);
  expect(item.content).not.toContain('\u0000');
  expect(item.content.length).toBeLessThanOrEqual(limits.content_length_max_chars);
  expect(item.content.trim()).not.toBe('');
  expect(item.tags.length).toBeLessThanOrEqual(limits.tags_max_count);
}

it('survives any JSON in lines and arrays', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(value, { maxLength: 8 }), fc.boolean(), async (values, asArray) => {
      const text = asArray ? JSON.stringify(values) : values.map((each) => JSON.stringify(each)).join('\n');
      const { items, counts } = await collectText(text, { name: asArray ? 'x.json' : 'x.jsonl' });
      items.forEach(checkItem);
      expect(counts.items).toBe(items.length);
    }),
    { numRuns: 400 },
  );
});

it('survives any bytes under any name, however they are cut', async () => {
  const names = fc.constantFrom('x.jsonl', 'x.json', 'x.md', 'x.zip', 'x.txt', '');
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      names,
      fc.integer({ min: 1, max: 9 }),
      async (bytes, name, size) => {
        (await collect(inPieces(bytes, size), { name })).items.forEach(checkItem);
      },
    ),
    { numRuns: 300 },
  );
});

it('survives any text as Markdown and as a transcript, and gives it the same ids again', async () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.constantFrom(
      '# A',
      '## B',
      '---',
      'tags: [a',
      '```',
      'User:',
      'Assistant: hi',
      '**Bob:** x',
      '<!-- haivemind memory -->',
      '\r\n',
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 20 }),
      fc.constantFrom('markdown', 'transcript'),
      async (lines, format) => {
        const options = { format: format as 'markdown' | 'transcript' };
        const { items } = await collectText(lines.join('\n'), options);
        items.forEach(checkItem);
        const again = await collectText(lines.join('\n'), options);
        expect(again.items.map((item) => item.external_id)).toEqual(items.map((item) => item.external_id));
      },
    ),
    { numRuns: 300 },
  );
});
