import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createLocalEmbedder } from './local.ts';
import { readTokens } from './token-vectors.ts';

const models_dir = join(import.meta.dirname, '../../../models');
const scratch = mkdtempSync(join(tmpdir(), 'haivemind-embedding-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe('local embedder', () => {
  it('brings texts of one meaning near each other', async () => {
    await using embedder = createLocalEmbedder({ models_dir });
    expect(embedder.status().loaded).toBe(false);
    const query = await embedder.embedQuery('database ran out of connections');
    const [near, far] = await embedder.embedDocuments([
      'Postgres: too many clients already',
      'The weather is lovely today',
    ]);
    expect(dot(query.vector, near!.chunks[0]!.vector)).toBeGreaterThan(dot(query.vector, far!.chunks[0]!.vector) + 0.2);
    expect(embedder.status()).toEqual({ loaded: true, queued_queries: 0, queued_documents: 0, restarts: 0 });
    expect(embedder.id).toMatch(/^all-MiniLM-L6-v2@[0-9a-f]{12}$/);
    expect(Math.hypot(...query.vector)).toBeCloseTo(1, 3);
  });

  it('gives token vectors of the words that matter', async () => {
    await using embedder = createLocalEmbedder({ models_dir });
    const { tokens } = await embedder.embedQuery('When did Ann restart the kube-proxy?');
    expect(tokens!.words).toContain('restart');
    expect(tokens!.words).not.toContain('the');
    expect(readTokens(tokens!.vectors)!.count).toBe(tokens!.words.length);
    const [short, long] = await embedder.embedDocuments(['restart it', 'word '.repeat(400)]);
    expect(readTokens(short!.chunks[0]!.tokens!)!.dimensions).toBe(96);
    expect(long!.chunks.every((chunk) => chunk.tokens === undefined)).toBe(true);
  });

  it('cuts long texts and keeps their order, whatever their lengths', async () => {
    await using embedder = createLocalEmbedder({ models_dir });
    const long = Array.from({ length: 200 }, (_, i) => `Sentence number ${i} about nothing.`).join('\n');
    const documents = await embedder.embedDocuments([long, 'short', '', '\ud800 \u0000', 'x'.repeat(5000)]);
    expect(documents).toHaveLength(5);
    expect(documents[0]!.chunks.length).toBeGreaterThan(3);
    expect(documents[0]!.chunks.at(-1)!.end_char).toBe(long.length);
    for (const document of documents) {
      for (const chunk of document.chunks) expect(Math.hypot(...chunk.vector)).toBeCloseTo(1, 3);
    }
    const [alone] = await embedder.embedDocuments(['short']);
    expect(dot(alone!.chunks[0]!.vector, documents[1]!.chunks[0]!.vector)).toBeGreaterThan(0.9999);
  });

  it('answers a question while documents wait', async () => {
    await using embedder = createLocalEmbedder({ models_dir });
    await embedder.warm();
    const order: string[] = [];
    const bulk = embedder
      .embedDocuments(Array.from({ length: 200 }, (_, i) => `text ${i} `.repeat(20)))
      .then(() => order.push('documents'));
    const query = embedder.embedQuery('a question').then(() => order.push('query'));
    await Promise.all([bulk, query]);
    expect(order).toEqual(['query', 'documents']);
  });

  it('stops waiting when told to, and goes on with the rest', async () => {
    await using embedder = createLocalEmbedder({ models_dir });
    const abort = new AbortController();
    const bulk = embedder.embedDocuments(
      Array.from({ length: 400 }, (_, i) => `text ${i}`),
      { signal: abort.signal },
    );
    abort.abort(new Error('enough'));
    await expect(bulk).rejects.toThrow('enough');
    expect((await embedder.embedQuery('still there')).vector).toHaveLength(384);
    await expect(embedder.embedQuery('x', { signal: AbortSignal.abort() })).rejects.toThrow();
  });

  it('says that a model file is corrupt or missing, and recovers when it is put right', async () => {
    const copy = join(scratch, 'models');
    cpSync(models_dir, copy, { recursive: true });
    writeFileSync(join(copy, 'tokenizer.json'), '{}');
    await using embedder = createLocalEmbedder({ models_dir: copy });
    await expect(embedder.embedQuery('a')).rejects.toMatchObject({ code: 'model_corrupt', hint: expect.any(String) });
    rmSync(join(copy, 'tokenizer.json'));
    await expect(embedder.embedDocuments(['a'])).rejects.toMatchObject({ code: 'model_missing' });
    cpSync(join(models_dir, 'tokenizer.json'), join(copy, 'tokenizer.json'));
    expect((await embedder.embedQuery('a')).vector).toHaveLength(384);
    expect(() => createLocalEmbedder({ models_dir: join(scratch, 'none') })).toThrowError(
      expect.objectContaining({ code: 'model_missing' }),
    );
  });

  it('replaces a worker that dies, once for each request', async () => {
    const program = join(scratch, 'dying.mjs');
    writeFileSync(
      program,
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', (m) => { if (m.text === 'die') process.exit(3); if (m.kind === 'close') return parentPort.close();
         parentPort.postMessage({ kind: 'query', id: m.id, query: { vector: new Float32Array(384) } }); });`,
    );
    await using embedder = createLocalEmbedder({ models_dir, worker_file: pathToFileURL(program) });
    await expect(embedder.embedQuery('die')).rejects.toMatchObject({ code: 'unavailable' });
    expect(embedder.status().restarts).toBe(1);
    expect((await embedder.embedQuery('live')).vector).toHaveLength(384);
  });

  it('refuses what is still waiting when it is closed', async () => {
    const embedder = createLocalEmbedder({ models_dir });
    const waiting = embedder.embedDocuments(['a', 'b']);
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await embedder[Symbol.asyncDispose]();
    await outcome;
  });
});
