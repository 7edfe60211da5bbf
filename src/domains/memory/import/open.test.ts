// Whole imports of the project's own samples, and of the same content in other containers and encodings.
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect, collectText, inPieces, sample } from '../../../../test/samples/imports/collect.ts';
import { openImport } from './index.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'import-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const contents = (items: readonly { content: string }[]) => items.map((item) => item.content);

describe('a Claude Code session', () => {
  it('joins lines of one message, keeps tool calls and errors short, and leaves thinking out', async () => {
    const { items, conversations, problems } = await collect(sample('claude-code.jsonl'));
    expect(problems).toEqual([]);
    const turns = items.filter((item) => item.session_id === '5e551000-0000-4000-8000-000000000001');
    expect(contents(turns).slice(0, 2)).toEqual([
      'User: the cart service times out every night at 02:10, why?',
      [
        'Assistant: I look at the pool first.',
        'Then at the nightly jobs.',
        'Tools:',
        "- Bash: kubectl logs deploy/cart --since=8h | grep -c 'pool exhausted' (Count pool errors): 1874",
        '- Read: /home/dana/work/shop-api/jobs/export.py: ERROR: <tool_use_error>File does not exist.</tool_use_error>',
      ].join('\n'),
    ]);
    expect(JSON.stringify(items)).not.toContain('perhaps the nightly export');
    expect(conversations[0]).toMatchObject({
      title: 'Cart service: connection pool exhausted by a leaked cursor',
      details: { human_prompts: 3, tool_calls: 2, tool_errors: 1, interrupted: 1, compactions: 1, sub_agents: 1 },
    });
  });

  it('sets a sub-agent apart and numbers each session from 0', async () => {
    const { items } = await collect(sample('claude-code.jsonl'));
    const side = items.filter((item) => item.tags.includes('sub-agent'));
    expect(side.map(({ sequence, content }) => [sequence, content.split(':')[0]])).toEqual([
      [0, 'Main agent'],
      [1, 'Sub-agent'],
    ]);
    expect(new Set(side.map((item) => item.session_id)).size).toBe(1);
    const main = items.filter((item) => item.sequence !== undefined && !item.tags.includes('sub-agent'));
    expect(main.map((item) => item.sequence)).toEqual(main.map((_, index) => index));
  });

  it('takes a slash command with arguments as a prompt and one without as none', async () => {
    const { items } = await collect(sample('claude-code.jsonl'));
    expect(contents(items)).toContain('User: /review only jobs/nightly');
    expect(contents(items).join('\n')).not.toContain('cost');
  });

  it('writes one summary that names title, recap, project and time', async () => {
    const { items } = await collect(sample('claude-code.jsonl'));
    const summaries = items.filter((item) => item.tags.includes('conversation-summary'));
    expect(summaries).toHaveLength(1);
    expect(summaries[0]).toMatchObject({ project: 'shop-api', occurred_at: '2026-02-03T08:01:00.000Z' });
    expect(summaries[0]!.content).toContain('The leaked cursor in export.py was closed');
  });
});

describe('exports of chats', () => {
  it('follows the current path of a ChatGPT tree', async () => {
    const { items, conversations } = await collect(sample('chatgpt.json'));
    expect(contents(items)).not.toContain('Assistant: An answer that was regenerated.');
    expect(contents(items)).toContain('Tool python: 0.96');
    expect(conversations[0]).toMatchObject({
      turns: 6,
      skipped: 1,
      details: { nodes: 9, nodes_off_path: 1, messages_on_current_path: 7, hidden_messages_on_path: 1 },
    });
  });

  it('reads attachments, failed tools and message texts of Claude.ai, and counts empty conversations', async () => {
    const { items, counts } = await collect(sample('claude-ai.json'));
    const all = contents(items).join('\n');
    expect(all).toContain('Attachment jobs.txt:\nindexing 03:00-04:00');
    expect(all).toContain('- web_search: wiki consistent backup: ERROR: rate limited');
    expect(all).toContain('User: thanks, template attached\n\n[file cron-template.txt]');
    expect(counts).toMatchObject({ conversations: 2, empty_conversations: 1, summaries: 1, turns: 3 });
  });

  it('reads messages as roles and contents', async () => {
    const { items } = await collectText(
      JSON.stringify([
        { role: 'system', content: 'hidden' },
        { role: 'user', content: 'which port does the exporter use?' },
        { role: 'assistant', content: [{ type: 'text', text: '9187' }] },
      ]),
    );
    expect(contents(items).slice(0, 2)).toEqual(['User: which port does the exporter use?', 'Assistant: 9187']);
  });

  it('reads a transcript', async () => {
    const { items, conversations } = await collect(sample('transcript.txt'));
    expect(contents(items).slice(0, 3)).toEqual([
      'User: the printer queue on floor 2 is stuck again\nit says spooler error 0x17',
      'Assistant: Restart the spooler and delete the job of 14 MB.',
      'User: worked, thanks',
    ]);
    expect(conversations[0]!.turns).toBe(3);
  });
});

describe('records', () => {
  it('keeps fields, reports bad lines with their number and goes on', async () => {
    const { items, problems } = await collect(sample('records.jsonl'));
    expect(problems.map(({ code, line }) => [code, line])).toEqual([
      ['invalid_json', 3],
      ['unknown_shape', 5],
    ]);
    expect(items).toHaveLength(3);
    expect(items[0]).toMatchObject({
      category: 'infrastructure',
      tags: ['staging', 'database'],
      project: 'shop-api',
      metadata: { owner: 'Dana' },
      extra: { project_id: 'shop-api' },
    });
    expect(items[1]).toMatchObject({ session_id: 'oncall-2026-05', sequence: 3, extra: { importance: 0.7 } });
    expect(items[2]).toMatchObject({ category: 'global', tags: ['network'], metadata: { _id: 'note-7', title: 'ss' } });
    expect(items[2]!.content).toBe('ss\nShows sockets: `ss -tlpn` lists listeners.');
  });

  it('reads the same records from lines and from an array', async () => {
    const records = Array.from({ length: 500 }, (_, i) => ({
      content: `note ${i} é🙂`,
      sequence: i,
      session_id: 's-1',
    }));
    const lines = await collectText(records.map((record) => JSON.stringify(record)).join('\r\n'));
    const bytes = new TextEncoder().encode(`\ufeff${JSON.stringify(records, null, 1)}`);
    const array = await collect(inPieces(bytes, 7));
    expect(array.problems).toEqual([]);
    expect(array.items).toEqual(lines.items);
  });

  it('keeps what came before a break in an array', async () => {
    const { items, problems } = await collectText('[{"content":"one"},{"content":"two"},{"content":');
    expect(contents(items)).toEqual(['one', 'two']);
    expect(problems.map(({ code }) => code)).toEqual(['invalid_json']);
  });

  it('refuses deep nesting in lines and arrays without recursion', async () => {
    const deep = `{"content":"x","metadata":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const lines = await collectText(`${deep}\n{"content":"after"}\n`);
    expect(lines.problems.map(({ code, line }) => [code, line])).toEqual([['too_deep', 1]]);
    expect(contents(lines.items)).toEqual(['after']);
    expect((await collectText(`[{"content":"before"},${deep}]`)).problems.map(({ code }) => code)).toEqual([
      'too_deep',
    ]);
  });

  it('splits what is longer than a memory and gives the parts stable ids', async () => {
    const text = JSON.stringify({ content: 'All work and no play. '.repeat(10_000) });
    const { items } = await collectText(text);
    expect(items.length).toBeGreaterThan(1);
    expect(items[1]!.external_id).toBe(`${items[0]!.external_id}:p2`);
    expect((await collectText(text)).items).toEqual(items);
  });
});

describe('documents', () => {
  it('reads a folder: front matter to fields, folder names to categories, paths to sources', async () => {
    const { items } = await collect(sample('notes'));
    expect(items.map(({ source, category }) => [source, category])).toEqual([
      ['markdown:index.md', 'infrastructure'],
      ['markdown:runbooks/restore.md', 'runbooks'],
    ]);
    expect(items[0]).toMatchObject({
      content: '# Office network\n\nThe office uses VLAN 20 for phones and VLAN 30 for printers.',
      tags: ['network', 'office'],
      occurred_at: '2026-01-15T00:00:00.000Z',
      metadata: { owner: 'Dana', title: 'Office network', path: 'index.md' },
    });
  });

  it('gives a file the same id alone and in its folder', async () => {
    const alone = await collect(sample('notes/index.md'));
    const inFolder = await collect(sample('notes'));
    expect(inFolder.items.map((item) => item.external_id)).toContain(alone.items[0]!.external_id);
  });

  it('splits a long document at its headings and keeps the first id when it grows', async () => {
    const path = join(folder, 'guide.md');
    await writeFile(path, '# Guide\n\nshort');
    const short = await collect(path);
    const section = (title: string) => `## ${title}\n\n${'Words about it. '.repeat(240)}\n`;
    await writeFile(path, `# Guide\n\n${section('Setup')}${section('Use')}${section('Use')}`);
    const { items } = await collect(path);
    // The bare title joins the first section below it.
    expect(items.map((item) => item.content.split('\n')[0])).toEqual(['Guide', 'Guide > Use', 'Guide > Use']);
    expect(items[0]!.external_id).toBe(short.items[0]!.external_id);
    expect(new Set(items.map((item) => item.external_id)).size).toBe(items.length);
    expect(items.map((item) => item.sequence)).toEqual([0, 1, 2]);
  });

  it('skips dotfiles and reports links that lead out of the folder', async () => {
    await mkdir(join(folder, 'root/.hidden'), { recursive: true });
    await writeFile(join(folder, 'outside.md'), 'outside');
    await writeFile(join(folder, 'root/.hidden/a.md'), 'hidden');
    await writeFile(join(folder, 'root/.secret.md'), 'hidden');
    await writeFile(join(folder, 'root/in.md'), 'inside');
    await symlink(join(folder, 'outside.md'), join(folder, 'root/link.md'));
    await symlink(join(folder, 'root'), join(folder, 'root/loop'));
    const { items, problems } = await collect(join(folder, 'root'));
    expect(contents(items)).toEqual(['inside']);
    expect(problems.map(({ code, path }) => [code, path])).toEqual([['outside_root', 'link.md']]);
  });

  it('reports front matter that is no mapping and keeps it as text', async () => {
    const { items, problems } = await collectText('---\n: [unclosed\n---\nbody', { name: 'x.md' });
    expect(problems.map(({ code }) => code)).toEqual(['invalid_front_matter']);
    expect(items[0]!.content).toContain('unclosed');
  });
});

describe('containers and encodings', () => {
  it('reads the conversations in a zip archive and nothing beside them', async () => {
    const path = join(folder, 'export.zip');
    const chats = await readFile(sample('chatgpt.json'));
    await writeFile(
      path,
      storedZip({ 'export/conversations.json': chats, 'export/user.json': Buffer.from('{"content":"no"}') }),
    );
    const { items, problems } = await collect(path);
    const plain = await collect(sample('chatgpt.json'));
    expect(problems).toEqual([]);
    expect(items).toEqual(plain.items);
  });

  it('reports a broken archive', async () => {
    const path = join(folder, 'broken.zip');
    await writeFile(path, Buffer.from('PK\u0003\u0004 and nothing else'));
    expect((await collect(path)).problems.map(({ code }) => code)).toEqual(['unreadable']);
  });

  it('reads UTF-16 and single bytes', async () => {
    const text = await readFile(sample('transcript.txt'), 'utf8');
    const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
    const plain = await collectText(text);
    expect((await collect(inPieces(utf16, 1))).items).toEqual(plain.items);
    expect((await collect(inPieces(Buffer.from(text.replaceAll('\n', '\r\n')), 1))).items).toEqual(plain.items);
  });

  it('cleans NUL, colour codes and half characters', async () => {
    const content = 'a\u0000b \u001b[31mred\u001b[0m \ud800 end';
    const { items } = await collectText(JSON.stringify([{ role: 'user', content }]));
    expect(items[0]!.content).toBe('User: ab red \ufffd end');
  });

  it('reports an empty source, a missing path and unreadable shapes', async () => {
    expect((await collectText('  \n')).problems.map(({ code }) => code)).toEqual(['no_content']);
    expect((await collect(join(folder, 'none.jsonl'))).problems[0]).toMatchObject({ code: 'unreadable' });
    expect((await collectText('[1,"two",{"x":1}]', { name: 'x.json' })).problems.map(({ line }) => line)).toEqual([
      1, 2, 3,
    ]);
  });

  it('caps the problems it reports one by one, not their count', async () => {
    const { problems, counts } = await collectText(`{"content":"ok"}\n${'{\n'.repeat(3_000)}`, { name: 'x.jsonl' });
    expect(problems).toHaveLength(1_000);
    expect(problems.at(-1)!.code).toBe('too_many');
    expect(counts.problems).toBe(3_000);
  });

  it('stops when it is aborted', async () => {
    const stop = new AbortController();
    const events = openImport(sample('records.jsonl'), { signal: stop.signal });
    await events.next();
    stop.abort();
    await expect(events.next()).rejects.toThrow();
  });
});

/** A zip archive whose entries are stored, as APPNOTE.TXT 4.3 lays it out. */
function storedZip(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, data] of Object.entries(files)) {
    const path = Buffer.from(name);
    const sums = Buffer.alloc(12);
    sums.writeUInt32LE(crc32(data), 0);
    sums.writeUInt32LE(data.length, 4);
    sums.writeUInt32LE(data.length, 8);
    const common = Buffer.concat([
      Buffer.from([20, 0, 0, 8, 0, 0, 0, 0, 0, 0]),
      sums,
      Buffer.from([path.length, 0, 0, 0]),
    ]);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, path, data]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), common, place, path]));
    parts.push(local);
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 0, 'latin1');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, index, end]);
}
