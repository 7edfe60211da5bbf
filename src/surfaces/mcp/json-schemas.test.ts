import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { unlisted } from '../../kernel/fields.ts';
import type { Operation } from '../../kernel/operation.ts';
import { fullSchema, terseInputSchema, terseOutputSchema } from './json-schemas.ts';

const operation = (input: z.ZodObject, output: z.ZodObject): Operation => ({ input, output }) as unknown as Operation;

describe('terseInputSchema', () => {
  it('keeps types, choices, ranges and descriptions, and leaves checks of length to the server', () => {
    const input = z.strictObject({
      content: z.string().min(1).max(50).describe('Text.'),
      kind: z.enum(['a', 'b']).default('a'),
      count: z.number().int().min(1).max(9).optional(),
      free: z.record(z.string(), z.json()).optional(),
      pattern: z.string().regex(/^x/).optional(),
      tags: z
        .union([z.array(z.string()), z.string()])
        .describe('Labels.')
        .optional(),
      kinds: z
        .union([z.enum(['a']), z.array(z.enum(['a']))])
        .describe('One or several.')
        .optional(),
      cleared: z.string().describe('Inner.').nullable().optional(),
      emptied: z.string().nullable().optional(),
      maxLength: z.number().int().optional().describe('A field called like a keyword.'),
    });
    expect(terseInputSchema(operation(input, z.object({})))).toEqual({
      type: 'object',
      properties: {
        content: { type: 'string', description: 'Text.' },
        kind: { type: 'string', enum: ['a', 'b'], default: 'a' },
        count: { type: 'integer', maximum: 9 },
        free: { type: 'object' },
        pattern: { type: 'string' },
        tags: { type: 'array', items: { type: 'string' }, description: 'Labels.' },
        kinds: { type: 'string', enum: ['a'], description: 'One or several.' },
        cleared: { type: 'string', description: 'Inner.' },
        emptied: { type: 'string' },
        maxLength: { type: 'integer', description: 'A field called like a keyword.' },
      },
      required: ['content'],
    });
  });

  it('lists no field that is seldom needed, unless all are asked for', () => {
    const input = z.strictObject({
      often: z.string().describe('Needed.'),
      ids: z.array(z.string().describe('One.')).describe('Several.').optional(),
      seldom: unlisted(z.string().describe('Hardly ever.').optional()),
    });
    const listed = {
      often: { type: 'string', description: 'Needed.' },
      ids: { type: 'array', items: { type: 'string' }, description: 'Several.' },
    };
    const seldom = { type: 'string', description: 'Hardly ever.' };
    const definition = operation(input, z.object({}));
    expect(terseInputSchema(definition).properties).toEqual(listed);
    expect(terseInputSchema(definition, 'all').properties).toEqual({ ...listed, seldom });
    expect(fullSchema(input, 'input').properties).toMatchObject({ seldom });
    expect(JSON.stringify(fullSchema(input, 'input'))).not.toContain('unlisted');
  });
});

describe('terseOutputSchema', () => {
  it('names top-level fields of core tools and demands none, so that an error answer fits too', () => {
    const output = z.object({
      id: z.string(),
      gone_at: z.string().nullable(),
      hits: z.array(z.object({ x: z.number() })),
      n: z.number(),
    });
    const tool = operation(z.object({}), output);
    expect(terseOutputSchema({ ...tool, core: true })).toEqual({
      type: 'object',
      properties: { id: { type: 'string' }, hits: { type: 'array' }, n: { type: 'number' } },
    });
    expect(terseOutputSchema(tool)).toEqual({ type: 'object' });
  });
});

describe('fullSchema', () => {
  it('keeps every constraint', () => {
    expect(fullSchema(z.object({ a: z.string().max(5) }), 'input')).toEqual({
      type: 'object',
      properties: { a: { type: 'string', maxLength: 5 } },
      required: ['a'],
    });
  });
});
