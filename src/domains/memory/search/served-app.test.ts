// The whole program on an index that another program holds: outages, changes, drift and its mending.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startChroma, startPgvector } from '../../../../scripts/engines/index.ts';
import { describeEngine } from '../../../../test/engines/suites.ts';
import { type App, openApp } from '../../../../test/support/open-app.ts';
import type { Engines } from '../../../config/engines.ts';
import { createVectorServer } from '../../../runtime/vector-server.ts';
import type { VectorServer } from '../../../storage/vectors/servers/port.ts';

const WAIT = { timeout: 60_000, interval: 50 };
/** Longer than any pause of a claim or of a server that is left alone. */
const PAUSES_OVER_MS = 120_000;
const signal = AbortSignal.timeout(600_000);
const nothing = () => {};

const ADAPTERS = [
  {
    kind: 'chroma',
    start: startChroma,
    target: (url: string): Engines['vectors'] => ({
      engine: 'chroma',
      url,
      tenant: 'default_tenant',
      database: 'default_database',
    }),
  },
  {
    kind: 'pgvector',
    start: startPgvector,
    target: (url: string): Engines['vectors'] => ({
      engine: 'pgvector',
      url,
      pool_max_count: 4,
      statement_timeout_ms: 30_000,
    }),
  },
] as const;

describe.each(ADAPTERS)('a hub on $kind', ({ kind, start, target }) => {
  describeEngine(kind, () => {
    let engine: Awaited<ReturnType<typeof start>>;
    let app: App;
    let beside: VectorServer;
    const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-served-'));

    const pending = async () => (await app.rows('select count(*) as n from vector_outbox'))[0]?.n;
    const queued = async () => (await app.rows('select count(*) as n from memory_vector_queue'))[0]?.n;
    const settled = () =>
      vi.waitFor(async () => {
        app.clock.advance(PAUSES_OVER_MS);
        expect([await queued(), await pending()]).toEqual([0, 0]);
      }, WAIT);
    const rowOf = async (memory_id: string) =>
      Number((await app.rows('select row_id from memories where memory_id = ?', memory_id))[0]?.row_id);
    const search = (query: string, filter: object = {}) => app.call('search_memories', { query, limit: 5, ...filter });
    const ids = (answer: Awaited<ReturnType<typeof search>>): string[] =>
      answer.results.map((result: { memory_id: string }) => result.memory_id);
    const indexHealth = async () => (await app.runtime.health()).checks.find(({ name }) => name === 'vector index');

    beforeAll(async () => {
      engine = await start();
      app = await openApp({ embedding: 'local', role: 'stdio', data_dir, engines: { vectors: target(engine.url) } });
      for (let i = 0; i < 12; i++) await app.store(`rack ${i} has ${i + 3} servers of the older kind`);
      await settled();
      const [model] = await app.rows('select model_id, length(vector) - 4 as dimensions from memory_vectors limit 1');
      const known = { id: String(model?.model_id), dimensions: Number(model?.dimensions) };
      const [identity] = await app.rows('select store_id from store_identity');
      const server = await createVectorServer(target(engine.url), known, String(identity?.store_id));
      if (!server) throw new Error('no server');
      beside = server;
    });
    afterAll(async () => {
      await beside?.[Symbol.asyncDispose]();
      await app?.[Symbol.asyncDispose]();
      await engine?.stop();
    });

    it('finds by meaning what shares no word with the question', async () => {
      const memory_id = await app.store('the ingress closes idle connections after ten seconds');
      await settled();
      const answer = await search('load balancer drops sleeping sockets');
      expect(answer).toMatchObject({ mode: 'hybrid', notice: null });
      expect(ids(answer)[0]).toBe(memory_id);
      expect(await indexHealth()).toMatchObject({ status: 'ok', detail: expect.stringContaining('0 changes wait') });
      expect(await beside.count()).toBe(13);
    });

    it('keeps changed fields and deletions in step', async () => {
      const memory_id = await app.store('the certificate of the mail relay is renewed by hand', { category: 'global' });
      const other = await app.store('the certificate of the web shop is renewed by hand', { category: 'global' });
      await settled();
      await app.call('update_memory', { memory_id, category: 'runbooks' });
      await app.call('delete_memory', { memory_id: other });
      await settled();
      expect(ids(await search('who renews certificates', { category: 'runbooks' }))).toEqual([memory_id]);
      const gone = await rowOf(other);
      expect((await beside.revisions(gone - 1, 1)).map((entry) => entry.row_id)).not.toContain(gone);
      expect(await app.runtime.checkIndex(signal)).toMatchObject({ status: 'ok' });
      await app.call('recover_deleted_memory', { memory_id: other });
      await settled();
      expect((await beside.revisions(gone - 1, 1)).map((entry) => entry.row_id)).toContain(gone);
    });

    it('acknowledges writes and searches words while the index is away, and catches up when it is back', async () => {
      await engine.kill();
      const memory_id = await app.store('the standby database lags behind since the kernel update');
      for (let i = 0; i < 5; i++) await app.store(`a note of the outage, number ${i}`);
      const answer = await search('standby kernel');
      expect(answer).toMatchObject({
        mode: 'text',
        notice: expect.stringMatching(/^Searched by words alone: .*cannot be reached/),
      });
      expect(ids(answer)[0]).toBe(memory_id);
      expect(await indexHealth()).toMatchObject({
        status: 'degraded',
        detail: expect.stringMatching(/changes? waits?/),
      });
      await vi.waitFor(async () => expect(await queued()).toBe(0), WAIT);
      expect(await pending()).toBe(6);
      // Filters that leave few rows are searched by meaning all the same: their vectors are compared in this process.
      expect(
        await search('secondary database has a replication delay after patching', { category: 'global' }),
      ).toMatchObject({ mode: 'hybrid' });
      await engine.restart();
      await settled();
      const back = await search('secondary database has a replication delay after patching');
      expect(back).toMatchObject({ mode: 'hybrid', notice: null });
      expect(ids(back)).toContain(memory_id);
      expect(await indexHealth()).toMatchObject({ status: 'ok' });
    });

    it('finds drift and mends it', async () => {
      const [lost, changed] = await Promise.all([
        app.store('the backup of the wiki runs at four'),
        app.store('the backup of the forum runs at five'),
      ]);
      await settled();
      expect(await app.runtime.checkIndex(signal)).toMatchObject({ status: 'ok' });
      const [first] = await beside.revisions((await rowOf(changed)) - 1, 1);
      if (!first) throw new Error('not in the index');
      const payload = {
        user_id: 'ada',
        scope: 'solo',
        category: 'global',
        project: null,
        project_id: null,
        session_id: null,
        machine_id: 'm',
        agent_id: 'a',
        source: 'agent',
        tags: [],
      };
      const vector = Float32Array.from({ length: 384 }, (_, i) => (i === 0 ? 1 : 0));
      await beside.remove([await rowOf(lost)]);
      await beside.put([
        { row_id: first.row_id, revision: 'an earlier one', vectors: [vector], payload },
        { row_id: 999_999, revision: 'of nothing', vectors: [vector], payload },
      ]);
      const check = await app.runtime.checkIndex(signal);
      expect(check).toMatchObject({
        status: 'degraded',
        detail: expect.stringMatching(/^1 missing in the index, 1 stale, 1 surplus \(/),
        fix: expect.stringContaining('haivemind reindex'),
      });
      for (const name of [lost, changed, 'row 999999']) expect(check?.detail).toContain(name);
      const report = await app.runtime.reindex({ embed: false, full: false }, nothing, signal);
      expect(report).toMatchObject({ kind, missing: 1, stale: 1, surplus: 1, embedded: 0, waiting_for_index: 0 });
      expect(await app.runtime.checkIndex(signal)).toMatchObject({ status: 'ok' });
      expect(await app.runtime.reindex({ embed: false, full: false }, nothing, signal)).toMatchObject({
        missing: 0,
        stale: 0,
        surplus: 0,
      });
    });

    it('fills an index that was lost, from another process, and goes on after an interrupt', async () => {
      await beside.clear();
      app.clock.advance(PAUSES_OVER_MS);
      expect(await search('who renews certificates')).toMatchObject({
        mode: 'text',
        notice: expect.stringMatching(/ is empty, .*`haivemind reindex` fills it/),
      });
      expect(await indexHealth()).toMatchObject({
        status: 'degraded',
        detail: expect.stringContaining('is empty'),
        fix: expect.stringContaining('haivemind reindex'),
      });
      await using command = await openApp({
        embedding: 'local',
        data_dir,
        clock: app.clock,
        engines: { vectors: target(engine.url) },
      });
      const interrupt = new AbortController();
      const first = command.runtime.reindex({ embed: true, full: true }, () => interrupt.abort(), interrupt.signal);
      await expect(first).rejects.toThrow();
      const seen = new Set<string>();
      const report = await command.runtime.reindex(
        { embed: false, full: false },
        ({ phase, done, total }) => {
          seen.add(phase);
          expect(done).toBeLessThanOrEqual(total);
        },
        signal,
      );
      expect(report).toMatchObject({ waiting_for_vectors: 0, waiting_for_index: 0 });
      expect(seen).toContain('index');
      expect(await command.runtime.checkIndex(signal)).toMatchObject({ status: 'ok' });
      expect(await beside.count()).toBe(report.memories);
      // At once, whatever was counted a moment ago.
      expect(await indexHealth()).toMatchObject({ status: 'ok' });
      expect(await search('who renews certificates')).toMatchObject({ mode: 'hybrid', notice: null });
    });

    it('says that the index is away instead of comparing with nothing', async () => {
      await engine.kill();
      await expect(app.runtime.reindex({ embed: false, full: false }, nothing, signal)).rejects.toMatchObject({
        code: 'unavailable',
      });
      expect(await app.runtime.checkIndex(signal)).toMatchObject({ status: 'degraded' });
      await engine.restart();
      await settled();
    });
  });
});
