// Detection by the first bytes and the name.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sample } from '../../../../test/samples/imports/collect.ts';
import { detectFormat } from './index.ts';

describe('detectFormat', () => {
  it.each([
    ['claude-code.jsonl', 'claude-code'],
    ['chatgpt.json', 'chatgpt'],
    ['claude-ai.json', 'claude-ai'],
    ['records.jsonl', 'jsonl'],
    ['transcript.txt', 'transcript'],
    ['notes/index.md', 'markdown'],
  ])('knows %s by content alone and with its name', (name, format) => {
    const head = readFileSync(sample(name)).subarray(0, 65_536);
    expect(detectFormat(head)).toBe(format);
    expect(detectFormat(head, name)).toBe(format);
  });

  it.each([
    ['', undefined],
    ['{"content":"a"}\n{"content":"b"}', 'jsonl'],
    ['{\n  "memories": []\n}', 'json'],
    ['[{"role":"user","content":"a"}]', 'messages'],
    ['[{"content":"a"}]', 'json'],
    ['[10:04] Ann: hello\n[10:05] Ben: hi\n[10:06] Ann: so\n[10:07] Ben: yes', 'transcript'],
    ['[link](https://example.org) and text', 'markdown'],
    ['just a note', 'markdown'],
  ])('tells %j', (text, format) => {
    expect(detectFormat(text)).toBe(format);
  });

  it('knows a zip archive', () => {
    expect(detectFormat(Buffer.from('PK\u0003\u0004rest'))).toBe('zip');
  });
});
