// The three shared sample exports: exact counts, every fact findable by its words, no secret in clear.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Collected, collect } from '../../../../test/samples/imports/collect.ts';
import { sharedData } from '../../../../test/shared-data.ts';
import { redactSecrets } from '../redaction/index.ts';

const root = sharedData('conversations');

const expectedSchema = z.array(
  z.object({
    file: z.string(),
    lines: z.number().optional(),
    by_type: z.record(z.string(), z.number()).optional(),
    tool_calls: z.number().optional(),
    tool_errors: z.number().optional(),
    sidechain_lines: z.number().optional(),
    human_prompts: z.array(z.string()).optional(),
    conversations: z.array(z.looseObject({ title: z.string().optional(), name: z.string().optional() })).optional(),
    facts: z.array(z.string()),
    secrets: z.array(z.string()),
  }),
);
type Expected = z.infer<typeof expectedSchema>[number];

/** Words of a fact that carry it: numbers, names and longer words. */
function keyWords(fact: string): string[] {
  const words = fact.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}_.-]*[\p{L}\p{N}]|\p{N}/gu) ?? [];
  return words.filter((word) => word.length > 3 || /\d/.test(word));
}

/** The share of a fact's key words in the conversation's best item and in all its items. */
function coverage(fact: string, { items }: Collected): { best: number; all: number } {
  const words = keyWords(fact);
  const share = (text: string) => words.filter((word) => text.includes(word)).length / words.length;
  const texts = items.map((item) => item.content.toLowerCase());
  return { best: Math.max(...texts.map(share)), all: share(texts.join('\n')) };
}

describe.skipIf(root === undefined)('shared sample exports (skipped where the shared data is absent)', () => {
  const files: Expected[] =
    root === undefined ? [] : expectedSchema.parse(JSON.parse(readFileSync(join(root, 'expected.json'), 'utf8')));

  const read = (file: string) => collect(join(root ?? '', file), { redact: redactSecrets });

  it('has samples to check', () => {
    expect(files.length).toBeGreaterThanOrEqual(3);
  });

  it('reaches the counts of the Claude Code session', async () => {
    const wanted = files.find((file) => file.by_type !== undefined)!;
    const { counts, conversations, items, problems } = await read(wanted.file);
    expect(problems).toEqual([]);
    expect(counts.lines).toBe(wanted.lines);
    expect(counts.lines_by_type).toEqual(wanted.by_type);
    const { tool_calls, tool_errors, sidechain_lines, human_prompts } = conversations[0]!.details;
    expect({ tool_calls, tool_errors, sidechain_lines }).toEqual({
      tool_calls: wanted.tool_calls,
      tool_errors: wanted.tool_errors,
      sidechain_lines: wanted.sidechain_lines,
    });
    expect(human_prompts).toBe(wanted.human_prompts!.length);
    const prompts = items.filter((item) => item.content.startsWith('User: ')).map((item) => item.content);
    const redacted = await Promise.all(wanted.human_prompts!.map((prompt) => redactSecrets(prompt)));
    expect(prompts).toEqual(redacted.map(({ text }) => `User: ${text}`));
  });

  it('reaches the counts of the ChatGPT export', async () => {
    const wanted = files.find((file) => file.file.startsWith('chatgpt'))!;
    const { conversations, problems } = await read(wanted.file);
    expect(problems).toEqual([]);
    expect(conversations.map(({ title, details }) => ({ title, ...details }))).toEqual(wanted.conversations);
    for (const { turns, details } of conversations) {
      expect(turns).toBe(details.messages_on_current_path! - details.hidden_messages_on_path!);
    }
  });

  it('reaches the counts of the Claude.ai export', async () => {
    const wanted = files.find((file) => file.file.startsWith('claude-ai'))!;
    const { conversations, counts, problems } = await read(wanted.file);
    expect(problems).toEqual([]);
    expect(conversations.map(({ details }) => details.messages)).toEqual(
      wanted.conversations!.map((conversation) => conversation.messages),
    );
    expect(counts.empty_conversations).toBe(wanted.conversations!.filter(({ messages }) => messages === 0).length);
  });

  it.each(files.map((file) => [file.file, file] as const))('keeps every fact and no secret of %s', async (_, file) => {
    const collected = await read(file.file);
    for (const fact of file.facts) {
      const { best, all } = coverage(fact, collected);
      expect(best, fact).toBeGreaterThanOrEqual(0.4);
      expect(all, fact).toBeGreaterThanOrEqual(0.6);
    }
    const everything = JSON.stringify(collected);
    const left = file.secrets.filter((secret) => everything.includes(secret));
    expect(left.length).toBe(0);
    expect(collected.counts.redactions).toBeGreaterThanOrEqual(file.secrets.length);
  });

  it('gives the same ids on every import, and no id twice', async () => {
    for (const { file } of files) {
      const first = (await read(file)).items.map((item) => item.external_id);
      const second = (await read(file)).items.map((item) => item.external_id);
      expect(second).toEqual(first);
      expect(new Set(first).size).toBe(first.length);
    }
  });
});
