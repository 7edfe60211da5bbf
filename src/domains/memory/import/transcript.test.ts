// Who speaks in a pasted chat: roles always, other names only when they take turns.
import { describe, expect, it } from 'vitest';
import { collectText } from '../../../../test/samples/imports/collect.ts';
import { isTranscript } from './transcript.ts';

const turnsOf = async (text: string) =>
  (await collectText(text, { format: 'transcript' })).items
    .filter((item) => item.sequence !== undefined)
    .map((item) => item.content);

describe('speakers', () => {
  it.each([
    ['plain', 'User: a\nAssistant: b'],
    ['bold', '**User:** a\n**Assistant:** b'],
    ['headings', '## User\na\n\n## Assistant\nb'],
    ['names of products', 'You said:\na\nChatGPT said:\nb'],
  ])('reads %s', async (_, text) => {
    expect(await turnsOf(text)).toEqual(['User: a', 'Assistant: b']);
  });

  it('reads names and times of a chat log', async () => {
    const text =
      '[2026-01-05 09:30] Ines: the deploy is stuck\n[2026-01-05 09:31] Tomas: which one\n[2026-01-05 09:32] Ines: checkout\n<Tomas> on it';
    expect(await turnsOf(text)).toEqual([
      'Ines: the deploy is stuck',
      'Tomas: which one',
      'Ines: checkout',
      'Tomas: on it',
    ]);
    const { items } = await collectText(text);
    expect(items[0]!.occurred_at).toBe('2026-01-05T09:30:00.000Z');
  });

  it('does not take labels of a note for speakers', async () => {
    expect(isTranscript('Note: restart it\nError: disk full\nNote: again')).toBe(false);
    expect(await turnsOf('User: it says\nError: disk full\nAssistant: free space')).toEqual([
      'User: it says\nError: disk full',
      'Assistant: free space',
    ]);
  });

  it('keeps ids of earlier turns when the chat goes on', async () => {
    const before = await collectText('User: a\nAssistant: b\n');
    const after = await collectText('User: a\nAssistant: b\nUser: c\n');
    const ids = (collected: typeof before) =>
      collected.items.filter((item) => item.sequence !== undefined).map((item) => item.external_id);
    expect(ids(after).slice(0, 2)).toEqual(ids(before));
  });
});
