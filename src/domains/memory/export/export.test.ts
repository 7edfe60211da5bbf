// What is exported comes back: all of it as JSON lines, the main fields as Markdown.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectText } from '../../../../test/samples/imports/collect.ts';
import type { ImportItem } from '../import/index.ts';
import { type ExportRecord, exportJsonl, exportMarkdown, exportMarkdownFiles } from './index.ts';

async function* streamOf<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

async function listOf<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

async function joined(parts: AsyncIterable<string>): Promise<string> {
  return (await listOf(parts)).join('');
}

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const moment = fc
  .date({ min: new Date('2001-01-01'), max: new Date('2099-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const text = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
    fc.constantFrom('---\na: b\n---', '<!-- haivemind memory -->', '\\<!-- haivemind memory -->'),
  )
  .map((value) => value.replaceAll('\u0000', ''))
  .filter((value) => value.trim() !== '');

const record: fc.Arbitrary<ExportRecord> = fc.record(
  {
    memory_id: fc.stringMatching(/^mem_[0-9a-z]{26}$/),
    content: text,
    category: fc.constantFrom('project', 'incidents', 'runbooks', 'global'),
    tags: fc.uniqueArray(name, { maxLength: 5 }),
    metadata: fc.dictionary(name, fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.integer(), fc.boolean())),
    context: name,
    project: name,
    session_id: name,
    sequence: fc.nat(1000),
    occurred_at: moment,
    source: name,
    external_id: name,
    scope: fc.constantFrom('private', 'shared'),
    importance: fc.integer({ min: 0, max: 10 }),
    valid_from: moment,
    created_at: moment,
    updated_at: moment,
    machine_id: name,
  },
  { requiredKeys: ['memory_id', 'content', 'category', 'tags', 'metadata', 'source'] },
);

/** The record an item was made from. */
function recordOf({
  external_id,
  extra,
  position: _position,
  ...item
}: ImportItem & { position?: unknown }): Record<string, unknown> {
  const isOwn = !external_id.startsWith('memory:');
  return { ...item, ...extra, ...(isOwn ? { external_id } : {}) };
}

describe('JSON lines', () => {
  it('round-trips without loss', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 5 }), async (records) => {
        const { items, problems } = await collectText(await joined(exportJsonl(streamOf(records))), {
          name: 'x.jsonl',
        });
        expect(problems.filter(({ code }) => code !== 'no_content')).toEqual([]);
        expect(items.map(recordOf)).toEqual(records);
      }),
    );
  });

  it('leaves empty fields out', async () => {
    const line = await joined(
      exportJsonl(streamOf([{ memory_id: 'mem_1', content: 'a', context: null, project: undefined }])),
    );
    expect(line).toBe('{"memory_id":"mem_1","content":"a"}\n');
  });
});

describe('Markdown', () => {
  const printable = record.filter(({ content }) => !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(content.replaceAll('\n', '')));

  it('round-trips as one file of many', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(printable, { minLength: 1, maxLength: 4 }), async (records) => {
        const { items, problems } = await collectText(await joined(exportMarkdown(streamOf(records))), {
          name: 'x.md',
        });
        expect(problems).toEqual([]);
        expect(items.map(recordOf)).toEqual(records.map((each) => ({ ...each, content: each.content.trim() })));
      }),
    );
  });

  it('round-trips as a folder and gives paths that are safe everywhere', async () => {
    const records: ExportRecord[] = [
      {
        memory_id: 'mem_0001abcdefghijklmnop',
        content: '# Ünïcode / ../../etc: notes?',
        category: 'incidents',
        created_at: '2026-01-02T03:04:05.000Z',
        tags: [],
        metadata: {},
        source: 'cli',
      },
      {
        memory_id: 'mem_0002abcdefghijklmnop',
        content: '???',
        category: null,
        tags: ['a'],
        metadata: { n: 1 },
        source: 'cli',
      },
    ];
    const files = await listOf(exportMarkdownFiles(streamOf(records)));
    expect(files.map(({ path }) => path)).toEqual([
      'incidents/2026-01-02-unicode-etc-efghijklmnop.md',
      'memories/efghijklmnop.md',
    ]);
    const back = await Promise.all(files.map((file) => collectText(file.text, { name: file.path })));
    expect(back.map(({ items }) => items[0]!.content)).toEqual(records.map(({ content }) => content));
    expect(back[1]!.items[0]!.metadata).toEqual({ n: 1 });
  });
});
