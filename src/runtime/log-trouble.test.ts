// The log during an outage: changes of state, not every failed try.
import { beforeEach, expect, test } from 'vitest';
import { failure } from '../kernel/errors.ts';
import { createTroubleLog } from './log-trouble.ts';

type Line = [level: string, fields: Readonly<Record<string, unknown>>, message: string];
let lines: Line[];
let now_ms: number;
let say: ReturnType<typeof createTroubleLog>;
beforeEach(() => {
  lines = [];
  now_ms = 0;
  const at = (level: string) => (fields: Line[1], message: string) => void lines.push([level, fields, message]);
  say = createTroubleLog({ info: at('info'), warn: at('warn'), error: at('error') }, () => now_ms);
});
const levels = () => lines.map(([level]) => level);
const away = () => failure('unavailable', 'PostgreSQL at host does not answer.', 'Start it.');

test('an engine that is away is one warning without a stack, and one line when it is back', () => {
  for (let i = 0; i < 5; i++) {
    say(away(), 'making vectors failed');
    now_ms += 5_000;
  }
  say(undefined, 'vectors are made again');
  expect(lines).toEqual([
    [
      'warn',
      { code: 'unavailable', away: 'PostgreSQL at host does not answer.', hint: 'Start it.' },
      'making vectors failed',
    ],
    ['info', {}, 'vectors are made again'],
  ]);
  say(away(), 'making vectors failed');
  expect(levels()).toEqual(['warn', 'info', 'warn']);
});

test('what nobody says is over is heard again later', () => {
  say(away(), 'searching failed');
  now_ms += 60 * 60 * 1000;
  say(away(), 'searching failed');
  expect(levels()).toEqual(['warn', 'warn']);
});

test('what is unexpected keeps its stack, each time', () => {
  const error = new Error('odd');
  say(error, 'failed');
  say(error, 'failed');
  expect(lines).toEqual([
    ['error', { err: error }, 'failed'],
    ['error', { err: error }, 'failed'],
  ]);
});
