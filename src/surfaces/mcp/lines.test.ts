import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorLine, idAtEdges, readLines } from './lines.ts';

function collect(
  chunks: readonly Buffer[],
  max_bytes: number,
): Promise<{ lines: string[]; overlong: [string, string][] }> {
  const stream = new PassThrough();
  const lines: string[] = [];
  const overlong: [string, string][] = [];
  return new Promise((resolve) => {
    readLines(stream, max_bytes, {
      onLine: (line) => lines.push(line),
      onOverlong: (head, tail) => overlong.push([head, tail]),
      onEnd: () => resolve({ lines, overlong }),
    });
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
  });
}

describe('readLines', () => {
  it('finds the same lines however the bytes arrive', async () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map((text) => text.replace(/\s/g, '_'));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 7 }), fc.boolean(), async (wanted, size, ended) => {
        const bytes = Buffer.from(wanted.join('\n') + (ended && wanted.length > 0 ? '\n' : ''));
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
        expect((await collect(chunks, 1_000)).lines).toEqual(wanted);
      }),
      { numRuns: 200 },
    );
  });

  it('drops an overlong line, tells its edges, and goes on with the next', async () => {
    const long = `{"id":7,"x":"${'y'.repeat(5_000)}"}`;
    const chunks = [
      Buffer.from('a\n'),
      Buffer.from(long.slice(0, 700)),
      Buffer.from(long.slice(700)),
      Buffer.from('\nb\n'),
    ];
    const { lines, overlong } = await collect(chunks, 1_000);
    expect(lines).toEqual(['a', 'b']);
    expect(overlong).toHaveLength(1);
    expect(overlong[0]?.[0].startsWith('{"id":7,')).toBe(true);
    expect(overlong[0]?.[1].endsWith('yyy"}')).toBe(true);
  });
});

describe('idAtEdges', () => {
  const id = fc.oneof(fc.integer(), fc.string());
  it('finds the id where requests have it: first or last', () => {
    fc.assert(
      fc.property(id, fc.string(), (wanted, text) => {
        const params = { text };
        for (const message of [
          { jsonrpc: '2.0', id: wanted, method: 'tools/call', params },
          { method: 'tools/call', params, jsonrpc: '2.0', id: wanted },
          { id: wanted, method: 'm', params },
        ]) {
          const line = JSON.stringify(message);
          expect(idAtEdges(line.slice(0, 512), line.slice(-512))).toBe(wanted);
        }
      }),
    );
  });

  it('finds none in other text', () => {
    expect(idAtEdges('nothing', 'here')).toBeUndefined();
    expect(JSON.parse(errorLine(undefined, -1, 'x'))).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: { code: -1, message: 'x' },
    });
  });
});
