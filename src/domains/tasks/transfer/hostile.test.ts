// Boards that somebody made to be slow, deep or oddly named. Each of these sizes took minutes, or for ever, where a reader
// looked at its text again and again: that the test ends is what it checks.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../kernel/limits.ts';
import { arrange } from './arrange.ts';
import { type Format, parseBoard } from './parse.ts';
import { splitBoard } from './split.ts';

const BODY_CHARS = limits.request_body_max_bytes;
const filled = (piece: string): string => piece.repeat(Math.ceil(BODY_CHARS / piece.length)).slice(0, BODY_CHARS);

/** As an import reads it: arranged, or refused for the number of its items. */
function read(text: string, format?: Format) {
  try {
    const board = parseBoard(text, { format, source: 'o/r', max_items: limits.task_import_items_max_count });
    return { ...board, items: arrange(board).items };
  } catch (error) {
    return expect(error).toMatchObject({ code: 'limit_exceeded' });
  }
}

describe('a line as long as a request may be', () => {
  const LINES = {
    'heading with blanks': `# a${filled(' ')}x`,
    'heading with number signs': `## a${filled('# ')}x`,
    'bullet with blanks': `- ${filled(' ')}\u2028x`,
    'box with blanks': `- [ ] ${filled(' ')}\u2028x`,
    'comments left open': `- [ ] ${filled('<!--')}`,
    'comments with blanks': `- [ ] ${filled('<!-- ')}x -->`,
    'comments of two words': `- [ ] ${filled('<!-- a b -->')}`,
    rule: filled('- '),
    'numbers and no point': filled('1'),
    'brackets and digits': `## ${filled('(1')}`,
  };
  test.each(Object.entries(LINES))('%s', (_, text) => {
    read(text, 'markdown');
  });

  test('in the body of an issue', () => {
    const bodies = [
      `blocked by${filled(' ')}\u2028x`,
      filled('http://a/'),
      filled('a/b'),
      filled('- [ ] #1 '),
      filled('#1'),
      filled('** '),
    ];
    for (const body of bodies) expect(read(JSON.stringify([{ number: 1, title: 't', body }]), 'github')).toBeDefined();
  });
});

describe('many items', () => {
  test('of the same line have names of their own', () => {
    const { items } = parseBoard('- [ ] a\n'.repeat(40_000), { format: 'markdown' });
    expect(new Set(items.map(({ item }) => item.external_id)).size).toBe(40_000);
  });

  test('each a part of the one before', () => {
    const chain = Array.from({ length: 40_000 }, (_, i) => ({
      ...{ external_id: `x:${i}`, title: 't' },
      parent: i > 0 ? `x:${i - 1}` : null,
    }));
    expect(read(JSON.stringify(chain))).toMatchObject({ problems: [], items: { length: 40_000 } });
    const round = [{ ...chain[0], parent: 'x:39999' }, ...chain.slice(1)];
    const { problems } = arrange(parseBoard(JSON.stringify(round)));
    expect(problems).toEqual([expect.objectContaining({ item: 'x:0', message: expect.stringContaining('in all') })]);
  });

  test('that all wait for each other are told apart without end neither', () => {
    const count = 8_000;
    const tangle = Array.from({ length: count }, (_, i) => ({
      ...{ external_id: `x:${i}`, title: 't' },
      depends_on: Array.from({ length: 20 }, (__, j) => `x:${(i + j + 1) % count}`),
    }));
    const { items, problems } = arrange(parseBoard(JSON.stringify(tangle)));
    const place = new Map(items.map(({ item }, i) => [item.external_id, i]));
    // No circle is left: everything stands after what it waits for.
    for (const { item } of items)
      for (const on of item.depends_on) expect(place.get(on)).toBeLessThan(place.get(item.external_id) ?? 0);
    expect(problems.length).toBeGreaterThan(0);
    const kept = items.reduce((sum, { item }) => sum + item.depends_on.length, 0);
    expect(kept + problems.length).toBe(count * 20);
  });

  test('of one issue that blocks itself over and over', () => {
    const url = 'https://github.com/o/r/issues/1';
    const copies = Array.from({ length: 20_000 }, (_, i) => ({
      ...{ number: 1, title: 't', url },
      blockedBy: [{ number: 2, url: `https://github.com/o/r/issues/${i + 2}` }],
    }));
    const board = parseBoard(JSON.stringify(copies), { format: 'github' });
    expect(board.items).toHaveLength(1);
    expect(board.items[0]?.item.depends_on).toEqual(['github:o/r#20001']);
    expect(board.problems).toHaveLength(19_999);
  });

  test('more than an import takes are refused, and a file of them is split', () => {
    const text = '- [ ] a\n'.repeat(limits.task_import_items_max_count + 1);
    expect(() => parseBoard(text, { max_items: limits.task_import_items_max_count })).toThrow(/more than/);
    expect(splitBoard(text, {}, 500_000).items).toBe(limits.task_import_items_max_count + 1);
  });
});

describe('names that every object has', () => {
  const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];

  test('are headings, states and labels like any others', () => {
    for (const name of NAMES) {
      const [first] = parseBoard(`# Board\n\n## ${name}\n\n- [ ] a`).items;
      expect(first?.item).toMatchObject({ status: 'todo' });
      const bead = parseBoard(JSON.stringify({ id: 'b-1', title: 't', priority: 1, status: name })).items;
      expect(bead[0]?.item).toMatchObject({ status: 'todo', tags: [`status:${name.toLowerCase()}`] });
      const own = parseBoard(`{"external_id":"x:${name}","title":"t","__proto__":{"polluted":1}}`).items;
      expect(own[0]?.item.external_id).toBe(`x:${name}`);
    }
    expect('polluted' in {}).toBe(false);
  });

  test('do not stand for text where a text is made of them', () => {
    const odd = { toString: 1, valueOf: 1 };
    const issue = { number: 1, title: 't', comments: [{ id: odd, body: 'b' }] };
    const [github] = parseBoard(JSON.stringify([issue]), { source: 'o/r' }).items;
    expect(github?.item.comments[0]?.comment_id).toBe('github:o/r#1/0');
    const bead = { id: 'b-1', title: 't', priority: 1, comments: [{ id: odd, text: 'b' }] };
    expect(parseBoard(JSON.stringify(bead)).items[0]?.item.comments[0]?.comment_id).toBe('beads:b-1/0');
    const board = parseBoard(JSON.stringify({ format: 'haivemind-board', version: odd }));
    expect(board.problems[0]?.message).toContain('version unknown');
  });
});

test('lists within lists are no board', () => {
  const deep = `${'['.repeat(200_000)}1${']'.repeat(200_000)}`;
  for (const format of ['json', 'beads', 'github'] as const) {
    const { items, problems } = parseBoard(`{"format":"haivemind-board","version":${deep}}`, { format });
    expect(items).toEqual([]);
    expect(problems[0]?.message).toMatch(/nested deeper|no issue/);
  }
});

test('whatever is repeated, a whole request of it is read', () => {
  const pieces = fc.constantFrom(
    ...[
      '# ',
      '#',
      '## a',
      '- [ ] ',
      '- [x] a',
      '[',
      ']',
      '{',
      '}',
      '(',
      '1',
      '. ',
      '*',
      '_',
      '-',
      '~~~',
      '```',
      '<!--',
    ],
    ...[
      '-->',
      '^a',
      'after:a,',
      'est:1',
      '@',
      '!high',
      '\\',
      ' ',
      '\t',
      '\n',
      '\r',
      '\u2028',
      '\u00a0',
      '\ud800',
      '\0',
    ],
    ...[
      '"',
      ',',
      ':',
      '"id":',
      '{"id":"a","title":"t","priority":1}\n',
      '{"number":1,"title":"t"}\n',
      'http://a/b/issues/1',
    ],
    ...['a/b#1', 'blocked by ', '{"external_id":"x:a","title":"t"},', '---\n', 'constructor', '__proto__', 'a'],
  );
  fc.assert(
    fc.property(
      fc.array(pieces, { minLength: 1, maxLength: 3 }),
      fc.array(pieces, { minLength: 1, maxLength: 4 }),
      fc.array(pieces, { maxLength: 2 }),
      fc.constantFrom<Format | undefined>('json', 'beads', 'github', 'markdown', undefined),
      (first, again, last, format) => {
        read(`${first.join('')}${again.join('').repeat(20_000)}${last.join('')}`, format);
      },
    ),
    { numRuns: 150 },
  );
});
