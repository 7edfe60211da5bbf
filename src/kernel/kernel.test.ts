// The kernel's small parts: times, cursors, ids, errors, text and names that were nearly right.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { virtualClock } from './clock.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { failure, HaivemindError, toErrorBody } from './errors.ts';
import { ID_PATTERN, newId } from './ids.ts';
import { nearest } from './input-problems.ts';
import { parseMoment, resolveSince } from './moments.ts';
import { assertWellFormed, isOneLine, jsonDepthExceeds, printable } from './text-safety.ts';

describe('moments', () => {
  test.each([
    ['2026-01-02', '2026-01-02T00:00:00.000Z'],
    ['2026-01', '2026-01-01T00:00:00.000Z'],
    ['2026-01-02T03:04', '2026-01-02T03:04:00.000Z'],
    ['2026-01-02 03:04:05', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05.6789Z', '2026-01-02T03:04:05.678Z'],
    ['2026-01-02T03:04:05+02:00', '2026-01-02T01:04:05.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29', '2000-02-29T00:00:00.000Z'],
  ])('%s is %s', (text, iso) => expect(parseMoment(text)).toBe(iso));

  test.each([
    '',
    'now',
    '2026',
    '2026-13-01',
    '2026-02-30',
    '2023-02-29',
    '1900-02-29',
    '26-01-01',
    '2026-01-01T25:00',
    '0000-01-01T00:00:00+14:00',
    '9999-12-31T23:59-14:00',
    '2026-01-01T10:00+99:99',
  ])('%j is no moment', (text) => expect(parseMoment(text)).toBeUndefined());

  test('a moment written by a program comes back as it was', () => {
    const date = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, (value) => {
        expect(parseMoment(value.toISOString())).toBe(value.toISOString());
      }),
    );
  });

  test('spans go back from now and never before the beginning of time', () => {
    const now_ms = Date.UTC(2026, 0, 8);
    expect(resolveSince('7d', now_ms)).toBe('2026-01-01T00:00:00.000Z');
    expect(resolveSince('12 h', now_ms)).toBe('2026-01-07T12:00:00.000Z');
    expect(resolveSince(`${'9'.repeat(30)}w`, now_ms)).toBe('1970-01-01T00:00:00.000Z');
  });
});

describe('cursors', () => {
  test('come back as they were made', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 3 }), fc.nat(), (texts, row) => {
        expect(decodeCursor(encodeCursor([...texts, row]), texts.length + 1)).toEqual([...texts, row]);
      }),
    );
  });

  test('anything else is refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => Buffer.from(text).toString('base64url')),
        ),
        (text) => {
          try {
            const [time, row] = decodeCursor(text, 2);
            expect([typeof time, typeof row]).toEqual(['string', 'number']);
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid_input' });
          }
        },
      ),
    );
  });
});

test('ids sort by the time they were made, are valid and differ', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 47 }), fc.integer({ min: 1, max: 10 ** 9 }), (time_ms, later_ms) => {
      const [first, second] = [newId('mem', time_ms), newId('mem', time_ms + later_ms)];
      expect(first < second).toBe(true);
      expect(first).toMatch(ID_PATTERN);
      expect(first).toMatch(/^mem_[0-9a-z]{26}$/);
      expect(newId('mem', time_ms)).not.toBe(first);
    }),
  );
});

describe('errors', () => {
  test('that are meant for the caller keep what they say; others say nothing of the inside', () => {
    const known = failure('conflict', 'Two of them.', 'Take one.', {
      details: { count: 2 },
      cause: new Error('inner'),
    });
    expect(toErrorBody(known)).toEqual({
      code: 'conflict',
      message: 'Two of them.',
      hint: 'Take one.',
      details: { count: 2 },
    });
    expect(JSON.stringify(known)).not.toContain('inner');
    for (const thrown of [new Error('/etc/secret'), 'text', undefined, null, { code: 'x' }]) {
      const body = toErrorBody(thrown);
      expect(body.code).toBe('internal');
      expect(JSON.stringify(body)).not.toContain('secret');
    }
    expect(toErrorBody(new DOMException('stop', 'AbortError')).code).toBe('cancelled');
    expect(known).toBeInstanceOf(HaivemindError);
  });
});

describe('text', () => {
  test('that cannot be stored faithfully is refused wherever it stands', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom('\u0000', '\ud800', 'x\udc00'), (value, bad) => {
        expect(() => assertWellFormed({ inside: [value, { deep: bad }] })).toThrowError(
          expect.objectContaining({ code: 'invalid_input' }),
        );
      }),
    );
  });

  test('printed shows what a terminal would obey', () => {
    expect(printable('a\u001b[2Jb\u009b\tc\nd')).toBe('a\\x1b[2Jb\\x9b\tc\nd');
    expect(isOneLine('plain – text')).toBe(true);
    for (const bad of ['a\nb', 'a\tb', 'a\u007f', '\u0085']) expect(isOneLine(bad)).toBe(false);
  });

  test('depth is counted on raw JSON as a parser would', () => {
    const depthOf = (value: unknown): number =>
      typeof value !== 'object' || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf));
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(6), (value, max) => {
        expect(jsonDepthExceeds(JSON.stringify(value), max)).toBe(depthOf(value) > max);
      }),
    );
  });
});

test('a wrong name finds the nearest right one', () => {
  const known = ['content', 'category', 'context', 'project', 'project_id', 'importance'];
  expect(nearest('categry', known)[0]).toBe('category');
  expect(nearest('project-id', known)[0]).toBe('project_id');
  expect(nearest('Contnet', known)[0]).toBe('content');
  expect(nearest('qqqq', known)).toEqual([]);
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (name) => {
      expect(known).toEqual(expect.arrayContaining(nearest(name, known)));
    }),
  );
  for (const name of known) expect(nearest(name, known)[0]).toBe(name);
});

test('a virtual clock stands still until it is told otherwise', () => {
  const clock = virtualClock(5);
  expect([clock.now(), clock.now()]).toEqual([5, 5]);
  clock.advance(10);
  expect(clock.now()).toBe(15);
});
