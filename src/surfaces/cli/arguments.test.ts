// Every value survives the way from an input to words on the command line and back.
import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { normaliseArguments, toValue } from './arguments.ts';
import { fieldsOf } from './fields.ts';

const input = z.strictObject({
  query: z.string().optional().describe('Text.'),
  project_id: z.string().optional().describe('Text.'),
  limit: z.number().int().default(10).describe('Number.'),
  explain: z.boolean().default(false).describe('Flag.'),
  semantic: z.boolean().default(true).describe('Flag.'),
  tags: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('List.'),
  category: z
    .union([z.enum(['a', 'b']), z.array(z.enum(['a', 'b']))])
    .optional()
    .describe('Choice.'),
  metadata: z.record(z.string(), z.json()).optional().describe('Object.'),
  valid_until: z.string().nullable().optional().describe('Text or nothing.'),
  level: z.enum(['low', 'high']).nullable().optional().describe('Choice or nothing.'),
  levels: z.array(z.number()).optional().describe('Numbers.'),
});
const fields = fieldsOf(input);

/** What the program does with words, without the program. */
function parse(words: readonly string[]): Record<string, unknown> {
  const command = new Command('test').exitOverride().configureOutput({ outputError: () => {} });
  for (const field of fields) {
    if (field.kind === 'boolean') command.option(`--${field.flag}`).option(`--no-${field.flag}`);
    else command.option(`--${field.flag} <value>`, '', (value: string, before: string[] = []) => [...before, value]);
  }
  command.parse(normaliseArguments(fields, words), { from: 'user' });
  const options: Readonly<Record<string, unknown>> = command.opts();
  const out: Record<string, unknown> = {};
  for (const field of fields) {
    const given = options[field.flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    if (typeof given === 'boolean') out[field.name] = given;
    else if (Array.isArray(given)) out[field.name] = toValue(field, given.map(String));
  }
  return out;
}

describe('fieldsOf', () => {
  it('knows kinds, choices, defaults and what may be null', () => {
    const summary = Object.fromEntries(fields.map((field) => [field.name, field.kind]));
    expect(summary).toEqual({
      query: 'string',
      project_id: 'string',
      limit: 'number',
      explain: 'boolean',
      semantic: 'boolean',
      tags: 'strings',
      category: 'strings',
      metadata: 'json',
      valid_until: 'string',
      level: 'string',
      levels: 'numbers',
    });
    const byName = new Map(fields.map((field) => [field.name, field]));
    expect(byName.get('category')?.choices).toEqual(['a', 'b']);
    expect(byName.get('limit')?.fallback).toBe(10);
    expect(byName.get('valid_until')?.nullable).toBe(true);
    expect(byName.get('query')?.nullable).toBe(false);
  });
});

describe('command lines', () => {
  const spelling = fc.constantFrom('--project-id', '--project_id');

  it('keeps any text, in both spellings, joined or as the next word', () => {
    fc.assert(
      fc.property(spelling, fc.string(), fc.boolean(), (flag, text, joined) => {
        const words = joined ? [`${flag}=${text}`] : [flag, text];
        expect(parse(words)).toEqual({ project_id: text });
      }),
    );
  });

  it('never takes a value for a flag', () => {
    expect(parse(['--query', '--explain', '--project_id', '--limit'])).toEqual({
      query: '--explain',
      project_id: '--limit',
    });
    expect(parse(['--query', '--explain=true'])).toEqual({ query: '--explain=true' });
  });

  it('keeps numbers', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parse(['--limit', String(value)]).limit).toBe(Number(String(value)));
      }),
    );
  });

  it('keeps lists: repeated, joined by commas, as JSON, and mixed', () => {
    const item = fc.stringMatching(/^[\w:./ -]*[\w]$/).map((text) => text.trim());
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 6 }), (tags) => {
        expect(parse(tags.map((tag) => `--tags=${tag}`)).tags).toEqual(tags);
        expect(parse(['--tags', tags.join(',')]).tags).toEqual(tags);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 6 }), (tags) => {
        expect(parse(['--tags', JSON.stringify(tags)]).tags).toEqual(tags);
      }),
    );
    expect(parse(['--levels', '1,2', '--levels', '3']).levels).toEqual([1, 2, 3]);
  });

  it('keeps objects', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), (value) => {
        const written = JSON.stringify(value);
        expect(JSON.stringify(parse(['--metadata', written]).metadata)).toBe(JSON.stringify(JSON.parse(written)));
      }),
    );
  });

  it.each([
    [['--explain'], { explain: true }],
    [['--explain=true'], { explain: true }],
    [['--explain=false'], { explain: false }],
    [['--no-explain'], { explain: false }],
    [['--no_semantic'], { semantic: false }],
    [['--semantic=0'], { semantic: false }],
    [['--valid-until', 'null'], { valid_until: null }],
    [['--query', 'null'], { query: 'null' }],
    [['--limit', '-5'], { limit: -5 }],
    [[], {}],
  ])('reads %j', (words, expected) => {
    expect(parse(words)).toEqual(expected);
  });

  it('leaves everything after -- alone', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(normaliseArguments(fields, ['--', ...words])).toEqual(['--', ...words]);
      }),
    );
  });

  it('names the flag that is wrong', () => {
    expect(() => parse(['--limit', 'many'])).toThrow('--limit is a number');
    expect(() => parse(['--metadata', '{x'])).toThrow('--metadata is JSON');
    expect(() => parse(['--explain=perhaps'])).toThrow('--explain is true or false');
  });
});
