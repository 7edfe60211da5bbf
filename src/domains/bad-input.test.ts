// Bad input through the public door: one error that says what to do, and a store that is as it was before.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, openApp } from '../../test/support/open-app.ts';
import { HaivemindError, toErrorBody } from '../kernel/errors.ts';
import { limits } from '../kernel/limits.ts';
import { operationDefinitions } from './operations.ts';

/** What a caller can mend. */
const CODES = ['invalid_input', 'not_found', 'conflict', 'forbidden', 'limit_exceeded'];

let app: App;
let known: string[];
beforeAll(async () => {
  app = await openApp();
  known = [
    await app.store('The first of the known memories', { project: 'edge', tags: ['a'] }),
    await app.store('The second of the known memories', { scope: 'shared' }, { user: 'bob' }),
    await app.store('The third, deleted'),
  ];
  await app.call('delete_memory', { memory_id: known[2] });
});
afterAll(() => app[Symbol.asyncDispose]());

/** Every change of a memory is recorded (src/storage/changes.test.ts), and what is not must at least be as many rows. */
const fingerprint = async () =>
  JSON.stringify(
    await app.rows(`select (select max(seq) from changes) as changes, (select count(*) from memories) as memories,
      (select count(*) from memory_versions) as versions, (select count(*) from memory_tags) as tags,
      (select count(*) from memory_signatures) as signatures`),
  );

/** Runs a call; an error has to be one of the documented ones and must not have changed anything. */
async function attempt(operation: string, input: unknown): Promise<void> {
  const before = await fingerprint();
  try {
    await app.call(operation, input);
  } catch (error) {
    if (!(error instanceof HaivemindError)) throw error;
    const { code, message, hint } = toErrorBody(error);
    expect(CODES).toContain(code);
    expect(message.length).toBeGreaterThan(5);
    expect(message.length).toBeLessThan(1_000);
    expect(message.isWellFormed()).toBe(true);
    expect(hint).not.toBe('');
    expect(await fingerprint()).toBe(before);
  }
}

const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    'a\udfffb',
    '\u001b[2J',
    '"',
    '*',
    'NEAR(a b, 5)',
    'content:x',
    'a AND OR NOT',
    '{col} : ^"',
    '-- ; drop table memories',
    "'); delete from memories; --",
    '%',
    '../../etc/passwd',
    '__proto__',
    'constructor',
    '7d',
    '99999999999999999999w',
    '2024-02-30',
    '0000-01-01T00:00:00+14:00',
    '2026-01-01T10:00',
    'newest',
    'solo',
    'shared',
    'incidents',
    'W10',
    'x'.repeat(5_000),
  ),
);
const anything = fc.oneof(
  hostileText,
  fc.constantFrom(null, true, false, 0, -0, -1, 1, 0.5, 1e308, -1e308, Number.MAX_SAFE_INTEGER + 1),
  fc.array(hostileText, { maxLength: 4 }),
  fc.jsonValue({ maxDepth: 3 }),
);

describe('any JSON is answered or refused with a documented code, and a refusal changes nothing', () => {
  test.each(operationDefinitions.map((operation) => operation.name))('%s', async (name) => {
    const { shape } = operationDefinitions.find((operation) => operation.name === name)!.input;
    const fields = Object.keys(shape);
    const ids = fc.constantFrom(...known, 'mem_none', 'abc123');
    const valid = fc.record(
      {
        ...(fields.includes('content') ? { content: hostileText } : {}),
        ...(fields.includes('conversation_text') ? { conversation_text: hostileText } : {}),
        ...(fields.includes('memory_id') ? { memory_id: ids } : {}),
        ...(fields.includes('memory_id_1') ? { memory_id_1: ids, memory_id_2: ids } : {}),
      },
      { noNullPrototype: true },
    );
    const some = fc.dictionary(fc.constantFrom(...fields, 'unknown_field', '__proto__'), anything, { maxKeys: 3 });
    const input = fc.oneof(
      { weight: 1, arbitrary: anything },
      { weight: 4, arbitrary: fc.tuple(valid, some).map(([base, more]) => ({ ...base, ...more })) },
    );
    await fc.assert(
      fc.asyncProperty(input, (value) => attempt(name, value)),
      { numRuns: 60 },
    );
  });
});

test('queries full of the syntax of the index are words', async () => {
  const id = await app.store('The NEAR point of col:umn* is "quoted" (twice)');
  for (const query of [
    '"',
    '*',
    'NEAR(',
    'col:',
    'col:umn*',
    '"quoted',
    '(',
    'a OR',
    'NOT',
    '^',
    '{body} : x',
    '+',
    '-',
  ])
    expect(await app.call('search_memories', { query })).toMatchObject({ mode: expect.any(String) });
  const { results } = await app.call('search_memories', { query: 'NEAR(point "quoted" col:umn*' });
  expect(results[0].memory_id).toBe(id);
});

describe('text', () => {
  test.each([
    ['a lone surrogate', { content: 'half \ud83d of it' }, 'surrogate'],
    ['a NUL', { content: 'zero\u0000byte' }, 'NUL'],
    ['a lone surrogate inside metadata', { content: 'x', metadata: { list: ['\udc00'] } }, 'metadata.list.0'],
    ['a lone surrogate as a field name', { content: 'x', metadata: { '\ud800': 1 } }, 'field name'],
    ['nothing but white space', { content: ' \n\t ' }, 'empty'],
    ['a control character in a name', { content: 'x', project: 'a\u0007b' }, 'project'],
    ['a line break in a tag', { content: 'x', tags: ['a\nb'] }, 'tags'],
  ])('with %s is refused, naming it', async (_what, input, named) => {
    const { code, message } = await app.refusal('store_memory', input);
    expect(code).toBe('invalid_input');
    expect(message).toContain(named);
  });

  test('with control characters, emoji and every plane of Unicode comes back as it went in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), async (text) => {
        fc.pre(!text.includes('\u0000'));
        const content = `roundtrip ${text}`;
        const memory_id = await app.store(content);
        expect((await app.call('retrieve_memory', { memory_id })).content.trim()).toBe(content.trim());
      }),
      { numRuns: 40 },
    );
  });

  test('may be as long as the limit and no longer', async () => {
    const max = limits.content_length_max_chars;
    const memory_id = await app.store('lorem ipsum '.repeat(max / 12).padEnd(max, 'x'));
    expect((await app.call('retrieve_memory', { memory_id })).content).toHaveLength(max);
    const { code, message } = await app.refusal('store_memory', { content: 'x'.repeat(max + 1) });
    expect({ code, message }).toEqual({ code: 'invalid_input', message: expect.stringContaining(String(max)) });
  });
});

describe('the error names what would be right:', () => {
  test.each([
    ['a misspelt field', { content: 'x', categry: 'incidents' }, 'Did you mean category?'],
    ['a field of another spelling', { content: 'x', 'project-id': 'p' }, 'Did you mean project_id?'],
    ['a field that does not exist', { content: 'x', zzzzzzzzz: 1 }, 'Fields of store_memory: content, category,'],
  ])('%s', async (_what, input, hint) => {
    const refusal = await app.refusal('store_memory', input);
    expect(refusal).toMatchObject({ code: 'invalid_input', hint: expect.stringContaining(hint) });
  });

  test.each([
    ['an unknown category', { content: 'x', category: 'outage' }, /category: .*incidents/],
    ['1,000 tags', { content: 'x', tags: Array.from({ length: 1_000 }, (_, i) => `t${i}`) }, /tags: at most 64 tags/],
    [
      '1,000 tags in one text',
      { content: 'x', tags: Array.from({ length: 1_000 }, (_, i) => `t${i}`).join() },
      /64 tags/,
    ],
    ['tags that are a number', { content: 'x', tags: 7 }, /tags: must be a list or a text/],
    ['a tag that is too long', { content: 'x', tags: ['t'.repeat(101)] }, /tags\.0: .*100/],
    ['an id with a space', { content: 'x', supersedes: 'a b' }, /supersedes: is not an id/],
    ['a day that does not exist', { content: 'x', occurred_at: '2023-02-29' }, /occurred_at: is not an ISO 8601/],
    [
      'large metadata',
      { content: 'x', metadata: { blob: 'b'.repeat(40_000) } },
      /metadata: is larger than 32768 bytes/,
    ],
    ['importance above 1', { content: 'x', importance: 2 }, /importance: /],
    ['a text for a number', { content: 'x', sequence: '1' }, /sequence: must be a number/],
    ['a list for the whole', ['x'], /input: must be an object/],
  ])('%s', async (_what, input, message) => {
    expect(await app.refusal('store_memory', input)).toMatchObject({
      code: 'invalid_input',
      message: expect.stringMatching(message),
    });
  });

  test('a tool that does not exist', async () => {
    expect(await app.refusal('store_memry', {})).toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining('store_memory'),
    });
    expect(await app.refusal('delete', {})).toMatchObject({ hint: expect.stringContaining('delete_memory') });
    expect(await app.refusal('zzz', {})).toMatchObject({ code: 'not_found' });
  });

  test('deep JSON', async () => {
    const deep = (levels: number): unknown => (levels === 0 ? 'x' : { a: deep(levels - 1) });
    expect(await app.refusal('store_memory', { content: 'x', metadata: deep(40) })).toMatchObject({
      code: 'limit_exceeded',
    });
    expect(await app.refusal('store_memory', deep(5_000))).toMatchObject({ code: 'limit_exceeded' });
    await expect(app.call('store_memory', { content: 'deep', metadata: deep(20) })).resolves.toMatchObject({
      created: true,
    });
  });

  test('an error repeats only so much of a long or unprintable name', async () => {
    const { message, details } = await app.refusal('store_memory', {
      content: 'x',
      [`${'k'.repeat(50_000)}\u001b[31m`]: 1,
    });
    expect(message.length).toBeLessThan(1_000);
    expect(JSON.stringify(details).length).toBeLessThan(5_000);
    const { message: inside } = await app.refusal('store_memory', {
      content: 'x',
      metadata: { ['\u001b[31m'.repeat(10_000)]: '\ud800' },
    });
    expect(inside.length).toBeLessThan(1_000);
    expect(inside).not.toContain('\u001b');
  });
});

test('metadata with names of JavaScript is data', async () => {
  const metadata = JSON.parse('{"constructor": 1, "toString": "x", "hasOwnProperty": null}');
  const memory_id = await app.store('Names of JavaScript', { metadata });
  expect((await app.call('retrieve_memory', { memory_id })).metadata).toEqual(metadata);
  await app.store('Project __proto__', { project: '__proto__', tags: ['constructor', '__proto__'] });
  expect((await app.call('get_memory_stats')).top_tags).toMatchObject({ constructor: 1 });
});
