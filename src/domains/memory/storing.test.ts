// Storing through the public door: every field, the same text again, near-duplicates, replacement, validity.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, openApp } from '../../../test/support/open-app.ts';
import { CATEGORIES } from './schema.ts';

let app: App;
beforeAll(async () => {
  app = await openApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const read = (memory_id: string) => app.call('retrieve_memory', { memory_id });
const found = async (query: string, fields: object = {}) => {
  const { results } = await app.call('search_memories', { query, ...fields });
  return (results as { memory_id: string }[]).map((result) => result.memory_id);
};

describe('what a memory keeps', () => {
  test.each(CATEGORIES)('category %s', async (category) => {
    const id = await app.store(`A fact of the kind ${category}`, { category });
    expect(await read(id)).toMatchObject({ category });
    expect(await found('fact kind', { category })).toEqual([id]);
  });

  test('every field that a writer may give comes back as it was given', async () => {
    const given = {
      content: 'The primary of db-cluster-7 moved to host-b after the failover drill',
      category: 'infrastructure',
      context: 'Seen in the drill of the spring',
      tags: ['Postgres', ' failover '],
      metadata: { ticket: 'OPS-12', nested: { list: [1, null, true, 'x'] } },
      scope: 'shared',
      project: 'storage',
      project_id: 'prj_7',
      session_id: 'drill-1',
      sequence: 3,
      occurred_at: '2025-05-01T10:00:00+02:00',
      valid_from: '2025-05-01',
      valid_until: '2030-01-01',
      importance: 0.9,
    };
    const { memory_id, created } = await app.call('store_memory', given, { user: 'ada', agent: 'codex' });
    expect(created).toBe(true);
    expect(await read(memory_id)).toEqual({
      ...given,
      operating_mode: 'solo',
      memory_id,
      tags: ['postgres', 'failover'],
      occurred_at: '2025-05-01T08:00:00.000Z',
      valid_from: '2025-05-01T00:00:00.000Z',
      valid_until: '2030-01-01T00:00:00.000Z',
      supersedes: null,
      superseded_by: null,
      user_id: 'ada',
      agent_id: 'codex',
      machine_id: 'test-machine',
      team_id: null,
      source: 'agent',
      format_version: 'v1',
      version: 1,
      created_at: '2026-01-01T00:00:00.000Z',
      updated_at: '2026-01-01T00:00:00.000Z',
    });
  });

  test('only the text is needed; the project is the one the session works in', async () => {
    const id = await app.store('Certificates renew on the first Monday', {}, { project: 'edge' });
    expect(await read(id)).toMatchObject({
      category: 'global',
      scope: 'solo',
      project: 'edge',
      importance: 0.5,
      tags: [],
    });
  });

  test('secrets are replaced in text, context and metadata, and the answer says so', async () => {
    const secret = `ghp_${'aB3dE5gH7j'.repeat(3)}kL9mN1`;
    const answer = await app.call('store_memory', {
      content: `deploy with ${secret} from the runner`,
      context: `token: ${secret}`,
      metadata: { auth: { token: secret, note: 'rotate it' } },
    });
    expect(answer.redacted.length).toBeGreaterThanOrEqual(3);
    expect(answer.hint).toContain('replaced by markers');
    const stored = await read(answer.memory_id);
    expect(JSON.stringify(stored)).not.toContain(secret);
    expect(stored.metadata.auth.note).toBe('rotate it');
    expect(JSON.stringify(answer)).not.toContain(secret);
  });

  test('verbose text is v1 and gets a shorter form; notation is v2', async () => {
    const prose =
      'The queue was slow because the consumer was restarting. It was restarting because of a memory limit that was too low, and so we raised the limit in order to give it enough room to work.';
    const verbose = await app.call('store_memory', { content: prose });
    expect(verbose.format_version).toBe('v1');
    expect(verbose.format_suggestion.length).toBeLessThan(prose.length);
    const compact = await app.call('store_memory', { content: 'queue slow → consumer OOM; limit::512Mi → 1Gi' });
    expect(compact).toMatchObject({ format_version: 'v2', format_suggestion: null });
  });
});

describe('the same text again', () => {
  test('gives the same id back, white space around it aside', async () => {
    const id = await app.store('NTP drifts on host-q');
    const again = await app.call('store_memory', { content: '  NTP drifts on host-q\n', tags: ['new'] });
    expect(again).toMatchObject({ memory_id: id, created: false });
    expect(again.hint).toContain('update_memory');
    expect(await read(id)).toMatchObject({ version: 1, tags: [] });
  });

  test.each([
    ['another scope', { scope: 'shared' }, {}],
    ['another owner', {}, { user: 'bob' }],
    ['another project', { project: 'billing' }, {}],
    ['another project by id', { project_id: 'prj_1' }, {}],
    ['a place in a sequence', { session_id: 'ses', sequence: 1 }, {}],
    ['another place in the sequence', { session_id: 'ses', sequence: 2 }, {}],
    ['the same place of another sequence', { session_id: 'ses-b', sequence: 1 }, {}],
  ])('in %s is a memory of its own', async (_what, fields, caller) => {
    await app.store('Thanks!');
    const other = await app.call('store_memory', { content: 'Thanks!', ...fields }, caller);
    expect(other.created).toBe(true);
    expect(await app.call('store_memory', { content: 'Thanks!', ...fields }, caller)).toMatchObject({
      memory_id: other.memory_id,
      created: false,
    });
  });

  test('after it was deleted is a new memory', async () => {
    const id = await app.store('Temporary note about the switch');
    await app.call('delete_memory', { memory_id: id });
    expect(await app.store('Temporary note about the switch')).not.toBe(id);
  });

  test('stored many times at once is one memory', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => app.store('Twenty agents learned this together')));
    expect(new Set(ids).size).toBe(1);
  });
});

describe('nearly the same text', () => {
  const text =
    'The ingress returned 502 because its keepalive outlived the idle timeout of the upstream by fifty seconds';

  test('is stored, with a hint naming its twin', async () => {
    const first = await app.store(text);
    const second = await app.call('store_memory', { content: text.replace('fifty', 'sixty') });
    expect(second.created).toBe(true);
    expect(second.near_duplicate.memory_id).toBe(first);
    expect(second.near_duplicate.similarity).toBeGreaterThan(0.6);
    expect(second.hint).toContain(first);
    expect(second.hint).toContain('supersedes');
  });

  test('of somebody else is no twin while it is private', async () => {
    const answer = await app.call('store_memory', { content: text.replace('fifty', 'seventy') }, { user: 'bob' });
    expect(answer).toMatchObject({ near_duplicate: null, hint: null });
  });
});

describe('replacing', () => {
  test('links both ways; searches leave the replaced one out unless asked', async () => {
    const old = await app.store('Grafana listens on port 3000');
    const now = await app.store('Grafana listens on port 3100', { supersedes: old });
    expect(await read(now)).toMatchObject({ supersedes: old, superseded_by: null });
    expect(await read(old)).toMatchObject({ superseded_by: now, version: 2 });
    expect(await found('grafana port')).toEqual([now]);
    expect(await found('', { tags: [], since: '1s', limit: 200 })).not.toContain(old);
    expect(new Set(await found('grafana port', { include_superseded: true }))).toEqual(new Set([old, now]));
  });

  test('following the hint of a near-duplicate replaces it, though its text is there already', async () => {
    const old = await app.store('The backup of the wiki runs at 02:00 every night on host-w');
    const hinted = await app.call('store_memory', {
      content: 'The backup of the wiki runs at 03:00 every night on host-w',
    });
    const { memory_id } = hinted;
    expect(hinted.hint).toContain(`supersedes=${old}`);
    const content = 'The backup of the wiki runs at 03:00 every night on host-w';
    const again = await app.call('store_memory', { content, supersedes: old });
    expect(again).toMatchObject({ memory_id, created: false });
    expect(again.hint).toContain(old);
    expect(await found('backup wiki')).toEqual([memory_id]);
    expect(await read(old)).toMatchObject({ superseded_by: memory_id });
    expect(await read(memory_id)).toMatchObject({ supersedes: old });
  });

  test('a fact that becomes true again is current again', async () => {
    const blue = await app.store('Production traffic goes to the blue stack');
    const green = await app.store('Production traffic goes to the green stack', { supersedes: blue });
    const silent = await app.call('store_memory', { content: 'Production traffic goes to the blue stack' });
    expect(silent.hint).toContain(`supersedes=${green}`);
    const back = await app.call('store_memory', {
      content: 'Production traffic goes to the blue stack',
      supersedes: green,
    });
    expect(back).toMatchObject({ memory_id: blue, created: false });
    expect(await found('production traffic stack')).toEqual([blue]);
  });

  test('ends with the replacement: deleting it brings the earlier one back into searches', async () => {
    const old = await app.store('Redis sentinel quorum is two');
    const now = await app.store('Redis sentinel quorum is three', { supersedes: old });
    await app.call('delete_memory', { memory_id: now });
    expect(await found('sentinel quorum')).toEqual([old]);
    await app.call('recover_deleted_memory', { memory_id: now });
    expect(await found('sentinel quorum')).toEqual([now]);
    await app.call('delete_memory', { memory_id: now, hard_delete: true });
    expect(await found('sentinel quorum')).toEqual([old]);
    expect(await read(old)).toMatchObject({ superseded_by: null });
  });

  test('is refused for an unknown memory, for itself, and where fewer people would see the replacement', async () => {
    expect(await app.refusal('store_memory', { content: 'x1', supersedes: 'mem_nowhere' })).toMatchObject({
      code: 'not_found',
    });
    const id = await app.store('Shared truth about the VPN', { scope: 'shared' });
    expect(
      await app.refusal('store_memory', { content: 'Shared truth about the VPN', scope: 'shared', supersedes: id }),
    ).toMatchObject({ code: 'invalid_input' });
    const refused = await app.refusal('store_memory', { content: 'Private truth about the VPN', supersedes: id });
    expect(refused).toMatchObject({ code: 'invalid_input', hint: expect.stringContaining('scope=shared') });
    expect(await found('private truth VPN')).not.toContain(undefined);
    expect((await read(id)).superseded_by).toBeNull();
  });
});

describe('validity', () => {
  test('a memory is found while it holds, and at other times by asking for them', async () => {
    const id = await app.store('Freeze of deployments for the holidays', {
      valid_from: '2026-02-01',
      valid_until: '2026-02-08',
    });
    expect(await found('freeze holidays')).toEqual([]);
    expect(await found('freeze holidays', { valid_at: '2026-02-03' })).toEqual([id]);
    expect(await found('freeze holidays', { valid_at: '2026-02-08' })).toEqual([]);
    expect(await found('freeze holidays', { include_superseded: true })).toEqual([id]);
    expect(await read(id)).toMatchObject({ memory_id: id });
  });

  test('that ends before it begins is refused', async () => {
    const window = { valid_from: '2026-02-08', valid_until: '2026-02-01' };
    expect(await app.refusal('store_memory', { content: 'Never true', ...window })).toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('valid_until'),
    });
    const id = await app.store('True for a while', { valid_from: '2026-02-08' });
    expect(await app.refusal('update_memory', { memory_id: id, valid_until: '2026-02-01' })).toMatchObject({
      code: 'invalid_input',
    });
  });
});
