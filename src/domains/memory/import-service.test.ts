// Imports through the public door: nothing twice, and a source that went on is followed.
import { expect, test } from 'vitest';
import { openApp } from '../../../test/support/open-app.ts';

const conversation = (...turns: string[]) => turns.join('\n');

test('importing the same conversation again adds nothing', async () => {
  await using app = await openApp();
  const conversation_text = conversation(
    'User: why do the pods restart?',
    'Assistant: the probe fails before the cache is warm',
  );
  const first = await app.call('import_conversation', { conversation_text, title: 'Pods' });
  const second = await app.call('import_conversation', { conversation_text, title: 'Pods' });
  expect(first).toMatchObject({ stored: 3, updated: 0, skipped: 0 });
  expect(second).toMatchObject({ stored: 0, updated: 0, skipped: 3 });
});

test('a memory follows a source that says more now, unless somebody edited it here', async () => {
  await using app = await openApp();
  const record = (id: string, content: string) => JSON.stringify({ memory_id: id, content });
  const load = async (...lines: string[]) => {
    const source = async function* () {
      yield Buffer.from(`${lines.join('\n')}\n`);
    };
    const signal = new AbortController().signal;
    let last: unknown;
    for await (const event of app.runtime.transfers.importFrom(
      source(),
      { ...app.runtime.localPrincipal('tester'), user_id: 'ada' },
      {
        signal,
        file_name: 'notes.jsonl',
      },
    ))
      last = event;
    return last;
  };
  await load(record('mem_a', 'the disk of db01 is full'), record('mem_b', 'the disk of db02 is full'));
  const found = await app.call('search_memories', { query: 'db02' });
  await app.call('update_memory', { memory_id: found.results[0].memory_id, content: 'the disk of db02 is fine again' });
  const again = await load(
    record('mem_a', 'the disk of db01 is full of WAL'),
    record('mem_b', 'the disk of db02 is full of logs'),
  );
  expect(again).toMatchObject({ type: 'done', stored: 0, updated: 1, skipped: 1 });
  expect((await app.call('search_memories', { query: 'WAL' })).results[0].content).toBe(
    'the disk of db01 is full of WAL',
  );
  expect((await app.call('search_memories', { query: 'db02' })).results[0].content).toBe(
    'the disk of db02 is fine again',
  );
});
