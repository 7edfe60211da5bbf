// One command from one operation: its flags, its help, the call and the answer.
import { type Command, Option } from 'commander';
import { failure } from '../../kernel/errors.ts';
import { normaliseArguments, toValue } from './arguments.ts';
import type { OperationClient } from './client.ts';
import { shellWord } from './connect.ts';
import type { CliContext, Finish, OperationShape } from './contract.ts';
import { EXIT } from './exit-codes.ts';
import { type Field, fieldsOf } from './fields.ts';
import { configFor, type GlobalOptions, stdoutStyle } from './globals.ts';
import { openClient } from './open-client.ts';
import { readText } from './read-text.ts';
import { type Answer, renderAnswer, toJsonText } from './render.ts';
import { readSecret } from './secret-input.ts';
import { shown } from './shown.ts';
import { styleFor } from './style.ts';

type Input = Readonly<Record<string, unknown>>;

/** What a command does beside its call, over the same connection. */
export interface Around {
  /** Gives the input its last form. */
  before?(client: OperationClient, input: Input, options: GlobalOptions): Promise<Input>;
  /** Gives the answer its last form. */
  after?(client: OperationClient, answer: Input, options: GlobalOptions): Promise<Input>;
}

/** Gives the command its arguments, options and action. */
export function defineOperationCommand(
  command: Command,
  shape: OperationShape,
  ctx: CliContext,
  finish: Finish,
  around: (command: Command) => Around | undefined = () => undefined,
): Command {
  const fields = fieldsOf(shape.input);
  const positional = (shape.cli.positional ?? []).flatMap((name) => fields.filter((field) => field.name === name));
  command.summary(shape.title).description(shape.description).optionsGroup('Fields:');
  for (const [index, field] of positional.entries()) {
    const last = index === positional.length - 1;
    command.argument(last && isList(field) ? `[${field.flag}...]` : `[${field.flag}]`, describe(field));
  }
  for (const field of fields)
    for (const option of field.name === shape.cli.secret ? [secretOption(field)] : optionsOf(field))
      command.addOption(option);
  const beside = around(command) ?? {};
  command.addHelpText('after', examplesOf(shape));
  return command.action(async (...all: unknown[]) => {
    const words = all.slice(0, positional.length);
    const texts = collectTexts(positional, words, fields, command.opts());
    const input = await inputOf(fields, texts, ctx, shape.cli.secret);
    finish(await callAndPrint({ shape, beside }, input, ctx, command.opts()));
  });
}

/** Rewrites the words after the command's name to what its parser understands. */
export function operationArguments(shape: OperationShape, words: readonly string[]): string[] {
  return normaliseArguments(fieldsOf(shape.input), words);
}

function isList(field: Field): boolean {
  return field.kind === 'strings' || field.kind === 'numbers';
}

function optionsOf(field: Field): Option[] {
  const text = describe(field);
  if (field.kind === 'boolean') {
    // Help shows the form that changes something; both are understood.
    const on = new Option(`--${field.flag}`, text).hideHelp(field.fallback === true);
    const off = new Option(`--no-${field.flag}`, text).hideHelp(field.fallback !== true);
    return [on, off];
  }
  const placeholder = {
    string: 'text',
    number: 'number',
    strings: 'list',
    numbers: 'list',
    json: 'json',
    any: 'value',
  };
  const option = new Option(`--${field.flag} <${placeholder[field.kind]}>`, text);
  // Every use is kept: lists add up, and of anything else the last one counts.
  return [option.argParser<string[]>((value, before) => [...(before ?? []), value])];
}

/** It takes a place to read from and no text. */
function secretOption(field: Field): Option {
  const text = `${field.description} Read from standard input, or @file; asked for at a terminal.`;
  return new Option(`--${field.flag} <source>`, text).argParser<string[]>((value, before) => [
    ...(before ?? []),
    value,
  ]);
}

function describe(field: Field): string {
  const parts = [field.description];
  if (field.choices) parts.push(`(${field.choices.join(', ')})`);
  if (field.fallback !== undefined) parts.push(`[${JSON.stringify(field.fallback)}]`);
  if (field.required) parts.push('(required)');
  return parts.filter((part) => part !== '').join(' ');
}

function examplesOf(shape: OperationShape): string {
  const lines = shape.examples.map((example) => `  ${commandLineOf(shape, example.input)}`);
  return lines.length > 0 ? `\nExamples:\n${lines.join('\n')}` : '';
}

/** The command line that sends this input. */
export function commandLineOf(shape: OperationShape, input: Readonly<Record<string, unknown>>): string {
  const positional = shape.cli.positional ?? [];
  const words = positional.flatMap((name) => (input[name] === undefined ? [] : wordsOf(input[name])));
  const flags = Object.entries(input).flatMap(([name, value]) => {
    if (positional.includes(name) || value === undefined) return [];
    const flag = name.replaceAll('_', '-');
    if (name === shape.cli.secret) return [`--${flag} -`];
    if (typeof value === 'boolean') return [value ? `--${flag}` : `--no-${flag}`];
    return [`--${flag} ${Array.isArray(value) ? shellWord(wordsOf(value, false).join(',')) : wordsOf(value).join('')}`];
  });
  const name = shape.cli.alias ?? `${shape.cli.group} ${shape.cli.verb}`;
  return ['haivemind', name, ...words, ...flags].join(' ');
}

function wordsOf(value: unknown, quoted = true): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const texts = values.map((item) => (typeof item === 'object' ? JSON.stringify(item) : String(item)));
  return quoted ? texts.map(shellWord) : texts;
}

type Texts = ReadonlyMap<string, readonly string[] | boolean>;

function collectTexts(
  positional: readonly Field[],
  words: readonly unknown[],
  fields: readonly Field[],
  options: Readonly<Record<string, unknown>>,
): Texts {
  const texts = new Map<string, readonly string[] | boolean>();
  for (const field of fields) {
    const value = options[attributeOf(field)];
    if (typeof value === 'boolean') texts.set(field.name, value);
    else if (Array.isArray(value)) texts.set(field.name, value.map(String));
  }
  for (const [index, field] of positional.entries()) {
    const word = words[index];
    if (word === undefined || (Array.isArray(word) && word.length === 0)) continue;
    if (texts.has(field.name)) {
      throw failure('invalid_input', `${field.name} is given twice.`, `Give it once: as a word or as --${field.flag}.`);
    }
    texts.set(field.name, Array.isArray(word) ? word.map(String) : [String(word)]);
  }
  return texts;
}

function attributeOf(field: Field): string {
  return field.flag.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

async function inputOf(
  fields: readonly Field[],
  texts: Texts,
  ctx: CliContext,
  secret: string | undefined,
): Promise<Record<string, unknown>> {
  const input: Record<string, unknown> = {};
  for (const field of fields) {
    const given = texts.get(field.name);
    if (field.name === secret) {
      input[field.name] = await readSecret(field.flag, Array.isArray(given) ? given.at(-1) : undefined, ctx.io);
      continue;
    }
    if (given === undefined) continue;
    if (typeof given === 'boolean') {
      input[field.name] = given;
      continue;
    }
    const resolved: string[] = [];
    for (const text of given) resolved.push(field.kind === 'number' ? text : await readText(text, ctx.io));
    input[field.name] = toValue(field, resolved);
  }
  return input;
}

/** One field for the caller's variable; what a person wants to know besides goes where it does not get in there. */
function printAlone(
  answer: Readonly<Record<string, unknown>>,
  alone: string,
  { io }: CliContext,
  options: GlobalOptions,
): void {
  const { [alone]: value, ...rest } = answer;
  const style = styleFor(io.stderr, io.env, options.color !== false);
  io.stderr.write(renderAnswer(rest, { group: '', verb: '' }, io.stderr, style));
  io.stdout.write(`${shown(String(value))}\n`);
}

async function callAndPrint(
  { shape, beside }: { readonly shape: OperationShape; readonly beside: Around },
  input: Readonly<Record<string, unknown>>,
  ctx: CliContext,
  options: GlobalOptions,
): Promise<number> {
  const client = await openClient(ctx, configFor(ctx, options));
  try {
    const given = (await beside.before?.(client, input, options)) ?? input;
    const said = await client.call(shape.name, given, { signal: ctx.io.signal });
    const all = (await beside.after?.(client, said, options)) ?? said;
    const answer = options.json ? all : withoutSolo(all);
    const piped = !options.json && !ctx.io.stdout.isTTY;
    const printed = piped ? withoutMode(answer) : answer;
    const style = stdoutStyle(ctx, options);
    const { alone } = shape.cli;
    if (options.json) ctx.io.stdout.write(`${toJsonText(printed, 2)}\n`);
    else if (alone === undefined) ctx.io.stdout.write(renderAnswer(printed, shape.cli, ctx.io.stdout, style));
    else printAlone(printed, alone, ctx, options);
    // Piped rows leave no room for what limits the answer, or for what to do next; it must not go unsaid.
    for (const field of piped ? ['notice', 'hint', 'operating_mode'] : []) {
      const note = answer[field];
      if (typeof note === 'string') ctx.io.stderr.write(`${field}: ${shown(note)}\n`);
    }
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

/** People are told the mode where it is not the one everybody begins in. */
function withoutSolo(answer: Answer): Answer {
  return answer.operating_mode === 'solo' ? withoutMode(answer) : answer;
}

function withoutMode(answer: Answer): Answer {
  const { operating_mode: _, ...rest } = answer;
  return rest;
}
