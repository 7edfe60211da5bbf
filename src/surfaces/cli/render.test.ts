// What is printed: exact where a program reads it, harmless where a terminal does.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CliBinding } from '../../kernel/operation.ts';
import type { OutputStream } from './contract.ts';
import { renderAnswer, toJsonText } from './render.ts';
import { PLAIN, styleFor } from './style.ts';

const binding: CliBinding = {
  group: 'memory',
  verb: 'list',
  table: { rows: 'memories', columns: ['memory_id', 'content'] },
};
const card: CliBinding = { group: 'memory', verb: 'get' };

function stream(isTTY: boolean, columns = 80): OutputStream {
  return { write: () => {}, isTTY, columns };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

describe('toJsonText', () => {
  it('is the same value and holds nothing a terminal obeys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const written = toJsonText({ value, text });
        expect(JSON.stringify(JSON.parse(written))).toBe(JSON.stringify({ value, text }));
        expect(written).not.toMatch(OBEYED);
      }),
    );
  });
});

describe('renderAnswer', () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 200 });

  it('never sends control characters of stored text to a terminal', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.integer({ min: 10, max: 200 }), (memory_id, content, columns) => {
        const answer = {
          memories: [{ memory_id, content }],
          note: content,
          nested: { content },
          list: [{ memory_id }],
        };
        for (const one of [binding, card]) {
          expect(renderAnswer(answer, one, stream(true, columns), PLAIN)).not.toMatch(OBEYED);
        }
      }),
    );
  });

  it('keeps tables within the width of the terminal', () => {
    const answer = { memories: [{ memory_id: 'mem_1', content: 'word '.repeat(100) }] };
    const lines = renderAnswer(answer, binding, stream(true, 60), PLAIN).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  it('writes one line a row when piped, with exactly the columns', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ memory_id: anyText, content: anyText })), (memories) => {
        const text = renderAnswer({ memories }, binding, stream(false), PLAIN);
        const lines = text.split('\n').slice(0, -1);
        expect(lines).toHaveLength(memories.length);
        for (const line of lines) expect(line.split('\t')).toHaveLength(2);
      }),
    );
  });

  it('puts the fields of what the answer is about on lines of their own when piped', () => {
    const answer = {
      task: { task_id: 'task_1', title: 'Tune\tit', fencing_token: 7, due: null, tags: ['a', 'b'] },
      fencing_token: 8,
      before: { waits_for: 2 },
      related: [{ memory_id: 'mem_1' }],
    };
    expect(renderAnswer(answer, card, stream(false), PLAIN)).toBe(
      [
        ...['task_id\ttask_1', 'title\tTune\\tit', 'task.fencing_token\t7', 'tags\ta, b', 'fencing_token\t8'],
        ...['before.waits_for\t2', 'related\t[{"memory_id":"mem_1"}]', ''],
      ].join('\n'),
    );
  });

  it('says beside piped rows what must not go unsaid', () => {
    const table = { rows: 'parts', columns: ['part', 'add'], beside: ['conflicts', 'before_id', 'nothing'] };
    const answer = {
      parts: [{ part: 'tasks', add: 3 }],
      conflicts: [{ part: 'tasks', key: 'task_1', reason: 'is\nthere' }],
      before_id: 'backup_1',
      nothing: null,
    };
    expect(renderAnswer(answer, { group: 'project', verb: 'restore', table }, stream(false), PLAIN)).toBe(
      'tasks\t3\nconflicts\ttasks\ttask_1\tis\\nthere\nbefore_id\tbackup_1\n',
    );
  });

  it('calls a record in a cell by its title, name or id', () => {
    const agents: CliBinding = {
      group: 'agent',
      verb: 'list',
      table: { rows: 'agents', columns: ['id', 'current_task'] },
    };
    const answer = {
      agents: [
        { id: 'a', current_task: { task_id: 'task_1', title: 'Tune' } },
        { id: 'b', current_task: { task_id: 'task_2' } },
      ],
    };
    const text = renderAnswer(answer, agents, stream(true), PLAIN);
    expect(text).toContain('│ Tune ');
    expect(text).toContain('│ task_2 ');
    expect(text).not.toContain('{');
  });

  it('says when there is nothing', () => {
    expect(renderAnswer({ memories: [] }, binding, stream(true), PLAIN)).toContain('nothing found');
    expect(renderAnswer({ memories: [] }, binding, stream(false), PLAIN)).toBe('');
  });

  it('shows a card without empty fields', () => {
    const text = renderAnswer(
      { memory_id: 'mem_1', context: null, tags: [], content: 'a\nb' },
      card,
      stream(true),
      PLAIN,
    );
    expect(text).toBe('memory id  mem_1\ncontent    a\n           b\n');
  });
});

describe('styleFor', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { TERM: 'dumb' }, false],
  ])('terminal %s with %j: colours %s', (isTTY, env, coloured) => {
    expect(styleFor(stream(isTTY), env).red('x') !== 'x').toBe(coloured);
  });
});
