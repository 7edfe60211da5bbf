// What is wrong with an input reads as a sentence with the name of the field, in no library's words.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { inWords, problemsOf } from './input-problems.ts';

function problem(schema: z.ZodType, value: unknown): string | undefined {
  const { error } = z.object({ field: schema }).safeParse({ field: value }, { error: inWords });
  return problemsOf(error?.issues ?? [], 5, { field: value })[0]?.problem;
}

test.each<[z.ZodType, unknown, string]>([
  [z.string().min(1), '', 'is empty'],
  [z.string().trim().min(1), '  ', 'is empty'],
  [z.string().min(3), 'ab', 'must have at least 3 characters'],
  [z.string().max(3), 'abcd', 'must have at most 3 characters'],
  [z.string().length(5), 'abc', 'must have exactly 5 characters'],
  [z.string().min(1, 'is empty: say why'), '', 'is empty: say why'],
  [z.string().regex(/^a/, 'is no id'), 'b', 'is no id'],
  [z.array(z.string()).min(1), [], 'is empty'],
  [z.array(z.string()).max(1), ['a', 'b'], 'must have at most 1 item'],
  [z.number().min(3), 1, 'must be at least 3'],
  [z.number().gt(3), 3, 'must be more than 3'],
  [z.number().max(3), 4, 'must be at most 3'],
  [z.int(), 1.5, 'must be a whole number'],
  [z.number(), 'one', 'must be a number'],
  [z.boolean(), 'x', 'must be true or false'],
  [z.string(), ['a'], 'must be a text'],
  [z.enum(['low', 'high']), 'middle', 'must be one of low, high'],
  [z.literal('yes'), 'no', 'must be yes'],
  [z.strictObject({ name: z.string() }), { name: 'a', nme: 'b' }, 'has no field nme'],
  [z.union([z.array(z.enum(['a', 'b'])), z.enum(['a', 'b'])]), 'c', 'must be one of a, b'],
  [z.union([z.array(z.string()), z.string()]), 7, 'must be a list or a text'],
  [z.string(), undefined, 'is required'],
])('%#: %s', (schema, value, expected) => {
  expect(problem(schema, value)).toBe(expected);
});
