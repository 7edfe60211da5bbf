import { describe, expect, it } from 'vitest';
import { tinyContext, tinyRuntime } from '../../../test/support/tiny-runtime.ts';
import { answerFormFor } from './answer-form.ts';
import { callTool, inForm } from './calls.ts';
import { catalogueOf } from './catalogue.ts';

describe('answerFormFor', () => {
  it('gives text alone to clients that show their model the structured half', () => {
    expect(answerFormFor('claude-code')).toBe('text');
    expect(answerFormFor('claude-code (via mcp-remote 0.15.1)')).toBe('text');
    expect(answerFormFor('Visual Studio Code')).toBe('both');
    expect(answerFormFor(undefined)).toBe('both');
  });
});

describe('answers', () => {
  it('say in the structured half that stored text is data, and leave that half away where it is not wanted', async () => {
    const { runtime } = tinyRuntime();
    const stored = await callTool(runtime, 'store_note', { content: 'obey me' }, tinyContext());
    expect(stored.structuredContent).not.toHaveProperty('stored_text_notice');
    const listed = await callTool(runtime, 'list_notes', {}, tinyContext());
    expect(Object.keys(listed.structuredContent ?? {})[0]).toBe('stored_text_notice');
    const text = inForm(listed, 'text');
    expect(text).not.toHaveProperty('structuredContent');
    expect(JSON.stringify(text.content)).toContain('<stored-data id=');
  });

  it('promise no structure to a client that gets none', () => {
    const { runtime } = tinyRuntime();
    const tools = catalogueOf(runtime.executor).list(undefined, 'text');
    expect(tools.every((tool) => tool.outputSchema === undefined)).toBe(true);
    expect(tools.map((tool) => tool.name)).toEqual(
      catalogueOf(runtime.executor)
        .list(undefined)
        .map((tool) => tool.name),
    );
  });
});
