// `haivemind reindex` and `haivemind doctor` as people run them: with a hub that serves, on a real Chroma.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChromaServer, startChroma } from '../scripts/engines/index.ts';
import { ensureBuilt, makePlace, type Place, type RunningServer } from './cli-binary.ts';
import { describeEngine } from './engines/suites.ts';

describeEngine('chroma', () => {
  let chroma: ChromaServer;
  let place: Place;
  let env: NodeJS.ProcessEnv;
  let hub: RunningServer;

  const COLLECTIONS = '/api/v2/tenants/default_tenant/databases/default_database/collections';
  async function ask(path: string, body?: object): Promise<ReturnType<typeof JSON.parse>> {
    const answer = await fetch(`${chroma.url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return answer.json();
  }
  async function collection(): Promise<string> {
    const found = await ask(COLLECTIONS);
    return `${COLLECTIONS}/${found[0].id}`;
  }
  const count = async (): Promise<number> => ask(`${await collection()}/count`);
  const run = async (...args: string[]) => place.run(args, { env });
  const drift = async (...args: string[]) => {
    const { stdout } = await run('doctor', '--json', ...args);
    return JSON.parse(stdout).checks.find((check: { name: string }) => check.name === 'vector index drift');
  };

  beforeAll(async () => {
    ensureBuilt();
    chroma = await startChroma();
    place = makePlace();
    env = { HAIVEMIND_CHROMA_URL: chroma.url };
  });
  afterAll(async () => {
    await place?.remove();
    await chroma?.stop();
  });

  it('leaves what a command stored in the index, without a hub', async () => {
    const lines = Array.from({ length: 30 }, (_, i) => JSON.stringify({ content: `switch ${i} is in row ${i % 7}` }));
    expect(await place.run(['import', '-'], { env, input: `${lines.join('\n')}\n` })).toMatchObject({ code: 0 });
    expect(await count()).toBe(30);
    const ran = await run('reindex');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^30 memories, 0 got vectors; chroma at http:.*: 0 were missing.*; nothing to do\n$/);
  });

  it('finds and mends drift while a hub serves', async () => {
    hub = await place.serve(['serve'], env);
    expect(await drift()).toMatchObject({ status: 'ok' });
    const path = await collection();
    const { ids } = await ask(`${path}/get`, { limit: 3 });
    await ask(`${path}/delete`, { ids });
    const found = await drift();
    expect(found).toMatchObject({ status: 'degraded', fix: expect.stringContaining('haivemind reindex') });
    expect(found.detail).toMatch(/^3 missing in the index, 0 stale, 0 surplus \(mem_/);
    expect(await drift('--fix')).toMatchObject({ status: 'ok', detail: expect.stringContaining('mended: 3 missing') });
    expect(await count()).toBe(30);
  });

  it('fills the index again from nothing, with new vectors', async () => {
    const ran = await run('reindex', '--full', '--embed', '--json');
    const lines = ran.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ type: 'summary', memories: 30, embedded: 30, waiting_for_index: 0 });
    expect(lines.slice(0, -1).every(({ type, done, total }) => type === 'progress' && done <= total)).toBe(true);
    expect(await count()).toBe(30);
    expect((await hub.stop()).code).toBe(0);
  });

  it('says in one line that the index is away', async () => {
    await chroma.kill();
    const ran = await run('reindex');
    expect(ran).toMatchObject({ code: 5, stdout: '' });
    expect(ran.stderr).toMatch(/^error: Chroma at .* cannot be reached\.\nhint: /);
    expect(await run('store', 'written while the index is away')).toMatchObject({ code: 0 });
    expect(await drift()).toMatchObject({ status: 'degraded' });
  });
});
