// Memories in teams: who reads, writes and mends them, in which mode they are found, and what those who left see.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ALNUM, seededRandom } from '../../../bench/redaction/random.ts';
import { type App, type CallerOptions, openApp } from '../../../test/support/open-app.ts';

const ROLES = { olga: 'owner', adam: 'admin', mia: 'member', max: 'member', rita: 'readonly', gus: 'guest' } as const;
type Name = keyof typeof ROLES | 'eve';

let app: App;
/** Everybody's team, and one of olga and eve alone. */
let team: string;
let other: string;

beforeAll(async () => {
  app = await openApp();
  team = (await app.call('create_team', { name: 'Payments' }, { user: 'olga' })).team_id;
  other = (await app.call('create_team', { name: 'Search' }, { user: 'olga' })).team_id;
  for (const [user_id, role] of Object.entries(ROLES)) {
    if (user_id === 'olga') continue;
    const expires_at = role === 'guest' ? '2027-01-01' : undefined;
    await app.call('add_team_member', { team_id: team, user_id, role, expires_at }, { user: 'olga' });
  }
  await app.call('add_team_member', { team_id: other, user_id: 'eve', role: 'member' }, { user: 'olga' });
});
afterAll(() => app[Symbol.asyncDispose]());

const solo = (user: Name): CallerOptions => ({ user, session: `${user}-solo` });
/** A session of the user in the mode of a team. */
async function inTeam(user: Name, team_id = team): Promise<CallerOptions> {
  const caller = { user, session: `${user}-${team_id}` };
  await app.call('set_mode', { mode: 'team', context_id: team_id }, caller);
  return caller;
}
const found = async (caller: CallerOptions, input: object = {}): Promise<string[]> => {
  const { results } = await app.call('search_memories', { limit: 200, max_tokens: 100_000, ...input }, caller);
  return (results as { memory_id: string }[]).map((row) => row.memory_id);
};
const code = async (operation: string, input: object, caller: CallerOptions): Promise<string> => {
  const answer = await app.call(operation, input, caller).catch((error: { code: string }) => error);
  return 'code' in answer ? String(answer.code) : 'ok';
};

let counter = 0;
const text = (): string => `Settlement batch ${++counter} closes at ${counter} past noon`;

describe('one memory of the team', () => {
  let id: string;
  beforeEach(async () => {
    id = await app.store(text(), { metadata: { a: 1 } }, await inTeam('mia'));
  });

  test('goes where the mode says and carries the team', async () => {
    expect(await app.call('retrieve_memory', { memory_id: id }, solo('mia'))).toMatchObject({
      scope: 'team',
      team_id: team,
      user_id: 'mia',
    });
  });

  test.each<[Name, string, string]>([
    ['olga', 'ok', 'ok'],
    ['adam', 'ok', 'ok'],
    ['mia', 'ok', 'ok'],
    ['max', 'ok', 'forbidden'],
    ['rita', 'ok', 'forbidden'],
    ['gus', 'ok', 'forbidden'],
    ['eve', 'not_found', 'not_found'],
  ])('%s: read %s, change %s', async (user, read, change) => {
    const caller = solo(user);
    const memory_id = id;
    expect(await code('retrieve_memory', { memory_id, include_history: true }, caller)).toBe(read);
    expect(await code('update_memory', { memory_id, tags: [user] }, caller)).toBe(change);
    expect(await code('update_memory', { memory_id, undo: true }, caller)).toBe(change);
    expect(await code('delete_memory', { memory_id }, caller)).toBe(change);
    const deleted = change === 'ok';
    if (!deleted) await app.call('delete_memory', { memory_id }, solo('mia'));
    const { memories } = await app.call('list_deleted_memories', { limit: 500 }, caller);
    expect(memories.some((row: { memory_id: string }) => row.memory_id === memory_id)).toBe(deleted);
    expect(await code('recover_deleted_memory', { memory_id }, caller)).toBe(deleted ? 'ok' : 'not_found');
    if (deleted) await app.call('delete_memory', { memory_id }, caller);
    expect(await code('delete_memory', { memory_id, hard_delete: true }, caller)).toBe(deleted ? 'ok' : 'not_found');
  });

  test('a moderator does not say who else sees it', async () => {
    for (const scope of ['solo', 'shared'])
      expect(await code('update_memory', { memory_id: id, scope }, solo('adam'))).toBe('forbidden');
    expect(await code('update_memory', { memory_id: id, scope: 'shared' }, solo('mia'))).toBe('ok');
  });

  test('to strangers it answers as one that is not there', async () => {
    const answers = await Promise.all(
      [id, 'mem_none'].flatMap((memory_id) =>
        (['retrieve_memory', 'update_memory', 'delete_memory', 'recover_deleted_memory'] as const).map(async (name) => {
          const input = name === 'update_memory' ? { memory_id, tags: ['x'] } : { memory_id };
          const body = await app.refusal(name, input, solo('eve'));
          return JSON.stringify(body).replaceAll(memory_id, 'X');
        }),
      ),
    );
    expect(answers.slice(0, 4)).toEqual(answers.slice(4));
    const supersedes = await app.refusal('store_memory', { content: text(), supersedes: id }, solo('eve'));
    expect(supersedes).toMatchObject({ code: 'not_found' });
  });

  test('is activity of the team, without its text', async () => {
    app.clock.advance(1);
    await app.call('update_memory', { memory_id: id, tags: ['seen'] }, solo('adam'));
    app.clock.advance(1);
    await app.call('delete_memory', { memory_id: id }, solo('adam'));
    const rows = await app.rows('select * from team_activity where team_id = ? order by activity_id', team);
    const of_memory = rows.filter((row) => String(row.details).includes(id));
    expect(of_memory.map((row) => [row.action, row.user_id])).toEqual([
      ['memory.stored', 'mia'],
      ['memory.changed', 'adam'],
      ['memory.deleted', 'adam'],
    ]);
    expect(JSON.stringify(rows)).not.toContain('Settlement');
  });
});

describe('storing', () => {
  test.each<[Name, string]>([
    ['olga', 'ok'],
    ['mia', 'ok'],
    ['rita', 'forbidden'],
    ['gus', 'forbidden'],
  ])('in team mode %s: %s', async (user, answer) => {
    const caller = await inTeam(user);
    expect(await code('store_memory', { content: text() }, caller)).toBe(answer);
    expect(await code('store_memory', { content: text(), scope: 'solo' }, caller)).toBe('ok');
  });

  test('scope=team outside team mode says how to choose one, naming only own teams', async () => {
    const refused = await app.refusal('store_memory', { content: text(), scope: 'team' }, solo('mia'));
    expect(refused).toMatchObject({ code: 'invalid_input' });
    expect(refused.hint).toContain('set_mode');
    expect(refused.hint).toContain(team);
    expect(refused.hint).not.toContain(other);
  });

  test('the same text is one memory in a team and another in the next', async () => {
    const content = text();
    const first = await app.call('store_memory', { content }, await inTeam('mia'));
    expect(await app.call('store_memory', { content }, await inTeam('max'))).toMatchObject({
      memory_id: first.memory_id,
      created: false,
    });
    const eve = await app.call('store_memory', { content }, await inTeam('eve', other));
    expect(eve).toMatchObject({ created: true, near_duplicate: null });
    expect(eve.memory_id).not.toBe(first.memory_id);
  });

  test('solo to team and back moves it', async () => {
    const id = await app.store(text(), {}, solo('mia'));
    await app.call('update_memory', { memory_id: id, scope: 'team' }, await inTeam('mia'));
    expect(await code('retrieve_memory', { memory_id: id }, solo('max'))).toBe('ok');
    await app.call('update_memory', { memory_id: id, undo: true }, solo('mia'));
    expect(await code('retrieve_memory', { memory_id: id }, solo('max'))).toBe('not_found');
    expect(await app.call('retrieve_memory', { memory_id: id }, solo('mia'))).toMatchObject({
      scope: 'solo',
      team_id: null,
    });
  });

  test('what was private before it came to the team stays private, also from undo', async () => {
    const id = await app.store('Draft: blame the vendor of settlements', {}, solo('mia'));
    await app.call('update_memory', { memory_id: id, content: text() }, solo('mia'));
    await app.call('update_memory', { memory_id: id, scope: 'team' }, await inTeam('mia'));
    const { history } = await app.call('retrieve_memory', { memory_id: id, include_history: true }, solo('adam'));
    expect(history).toEqual([]);
    expect(await code('update_memory', { memory_id: id, undo: true }, solo('adam'))).toBe('conflict');
    expect(await code('retrieve_memory', { memory_id: id }, solo('max'))).toBe('ok');
  });
});

describe('replacing', () => {
  test('within the team by members, by nobody who only reads, by nothing that fewer see', async () => {
    const old = await app.store(text(), {}, await inTeam('mia'));
    expect(await code('store_memory', { content: text(), supersedes: old }, solo('max'))).toBe('invalid_input');
    for (const scope of ['solo', 'shared'])
      expect(await code('store_memory', { content: text(), supersedes: old, scope }, solo('rita'))).toBe('forbidden');
    const now = await app.store(text(), { supersedes: old }, await inTeam('max'));
    const ids = await found(await inTeam('rita'));
    expect(ids).toContain(now);
    expect(ids).not.toContain(old);
  });

  test('a replacement out of sight hides nothing and is not named', async () => {
    const old = await app.store(text(), { scope: 'shared' }, solo('mia'));
    const now = await app.store(text(), { scope: 'shared', supersedes: old }, solo('mia'));
    await app.call('update_memory', { memory_id: now, scope: 'team' }, await inTeam('mia'));
    expect(await found(solo('eve'), { scope: 'shared' })).toContain(old);
    expect(await app.call('retrieve_memory', { memory_id: old }, solo('eve'))).toMatchObject({ superseded_by: null });
    expect(await app.call('retrieve_memory', { memory_id: old }, solo('max'))).toMatchObject({ superseded_by: now });
    expect(await found(await inTeam('max'))).not.toContain(old);
    const again = await app.text('store_memory', { content: (await row(old)).content, scope: 'shared' }, solo('eve'));
    expect(again).not.toContain(now);
  });
  const row = async (id: string) => app.call('retrieve_memory', { memory_id: id }, solo('mia'));

  test('memories of two teams are not merged', async () => {
    const first = await app.store(text(), {}, await inTeam('olga'));
    const second = await app.store(text(), {}, await inTeam('olga', other));
    expect(await code('merge_duplicate_memories', { memory_id_1: first, memory_id_2: second }, solo('olga'))).toBe(
      'invalid_input',
    );
  });
});

describe('modes', () => {
  const word = 'quokkaledger';
  let ids: Record<'own' | 'shared' | 'foreign' | 'team' | 'other', string>;
  beforeAll(async () => {
    const named = (what: string) => `${word} ${what}`;
    ids = {
      own: await app.store(named('private to olga'), {}, solo('olga')),
      shared: await app.store(named('shared by olga'), { scope: 'shared' }, solo('olga')),
      foreign: await app.store(named('shared by eve'), { scope: 'shared' }, solo('eve')),
      team: await app.store(named('of payments by mia'), {}, await inTeam('mia')),
      other: await app.store(named('of search by olga'), {}, await inTeam('olga', other)),
    };
  });

  test.each<[string, 'solo' | 'team', string | string[] | undefined, (keyof typeof ids)[]]>([
    ['own memories', 'solo', undefined, ['own', 'shared', 'other']],
    ['shared ones on request', 'solo', 'shared', ['shared', 'foreign']],
    ['those of all teams', 'solo', 'team', ['team', 'other']],
    ['several scopes', 'solo', 'solo, team', ['own', 'team', 'other']],
    ['everything', 'solo', ['solo', 'team', 'shared'], ['own', 'shared', 'foreign', 'team', 'other']],
    ['the team and shared', 'team', undefined, ['shared', 'foreign', 'team']],
    ['own private ones on request', 'team', 'solo', ['own']],
    ['the team alone', 'team', ['team'], ['team']],
  ])('%s (%s mode, scope %s)', async (_what, mode, scope, expected) => {
    const caller = mode === 'solo' ? solo('olga') : await inTeam('olga');
    const names = (list: readonly string[]) =>
      (Object.keys(ids) as (keyof typeof ids)[]).filter((name) => list.includes(ids[name])).sort();
    const wanted = [...expected].sort();
    expect(names(await found(caller, { query: word, scope }))).toEqual(wanted);
    const listed = await found(caller, { scope, include_superseded: true });
    expect(names(listed)).toEqual(wanted);
    const recent = await app.call('get_recent_memories', { scope, limit: 500 }, caller);
    expect(recent.memories.map((memory: { memory_id: string }) => memory.memory_id)).toEqual(listed);
    expect((await app.call('get_memory_stats', { scope }, caller)).total).toBe(listed.length);
    expect((await app.call('get_machine_context', { scope }, caller)).memories_here).toBe(listed.length);
    const { sources } = await app.call('list_memory_sources', { scope }, caller);
    expect(sources.reduce((sum: number, row: { memories: number }) => sum + row.memories, 0)).toBe(listed.length);
  });

  test('vault mode looks at own memories and stores private ones', async () => {
    const caller = { user: 'olga', session: 'olga-vault' };
    await app.call('set_mode', { mode: 'vault' }, caller);
    expect(await found(caller, { query: word })).not.toContain(ids.team);
    const id = await app.store(text(), {}, caller);
    expect(await app.call('retrieve_memory', { memory_id: id }, caller)).toMatchObject({ scope: 'solo' });
  });

  test('an unknown scope is refused', async () => {
    expect(await code('search_memories', { scope: 'solo,world' }, solo('olga'))).toBe('invalid_input');
  });

  test('a bulk deletion takes what the mode reaches and the role allows', async () => {
    const filter = { category: 'runbooks' };
    const mine = await app.store(text(), filter, await inTeam('max'));
    const theirs = await app.store(text(), filter, await inTeam('mia'));
    const own = await app.store(text(), filter, solo('max'));
    const preview = async (caller: CallerOptions) => {
      const { sample, count } = await app.call('bulk_delete_memories', filter, caller);
      expect(sample).toHaveLength(count);
      return sample.map((memory: { memory_id: string }) => memory.memory_id);
    };
    expect(await preview(solo('max'))).toEqual([own, mine]);
    expect(await preview(await inTeam('max'))).toEqual([mine]);
    expect(await preview(await inTeam('adam'))).toEqual([theirs, mine]);
    expect(await preview(await inTeam('rita'))).toEqual([]);
    await app.call('bulk_delete_memories', { ...filter, confirm: true }, await inTeam('max'));
    expect(await preview(await inTeam('adam'))).toEqual([theirs]);
  });
});

test('every way in names store_in_vault where it found a secret, and shows none', async () => {
  const secret = `ghp_${seededRandom(7).text(ALNUM, 36)}`;
  const id = await app.store(text(), {}, solo('max'));
  const content = `deploy with ${secret}`;
  const conversation_text = `User: how?\nAssistant: use ${secret} for it`;
  for (const [operation, input] of [
    ['store_memory', { content }],
    ['update_memory', { memory_id: id, content: `now ${content}` }],
    ['import_conversation', { conversation_text }],
  ] as const) {
    const answer = await app.call(operation, input, solo('max'));
    expect(answer.hint, operation).toContain('store_in_vault');
    expect(JSON.stringify(answer)).not.toContain(secret);
    expect(await app.text('search_memories', { query: 'deploy use' }, solo('max'))).not.toContain(secret);
  }
});

describe('who left the team', () => {
  test('sees, counts and changes none of it, not even their own', async () => {
    await app.call('add_team_member', { team_id: team, user_id: 'lee', role: 'member' }, { user: 'olga' });
    const lee = { user: 'lee', session: 'lee-team' };
    await app.call('set_mode', { mode: 'team', context_id: team }, lee);
    const id = await app.store(text(), { tags: ['lees'] }, lee);
    const gone = await app.store(text(), { tags: ['lees'] }, lee);
    const moved = await app.store(text(), {}, lee);
    await app.call('update_memory', { memory_id: moved, scope: 'solo' }, lee);
    await app.call('delete_memory', { memory_id: gone }, lee);
    await app.call('remove_team_member', { team_id: team, user_id: 'lee' }, { user: 'olga' });

    expect(await found(lee, { tags: ['lees'], scope: ['solo', 'team', 'shared'] })).toEqual([]);
    for (const [operation, input] of [
      ['retrieve_memory', {}],
      ['update_memory', { scope: 'solo' }],
      ['delete_memory', { hard_delete: true }],
    ] as const)
      expect(await code(operation, { memory_id: id, ...input }, lee)).toBe('not_found');
    expect(await code('recover_deleted_memory', { memory_id: gone }, lee)).toBe('not_found');
    expect((await app.call('list_deleted_memories', {}, lee)).memories).toEqual([]);
    expect(await app.call('get_memory_stats', {}, lee)).toMatchObject({ total: 1, deleted: 0 });
    expect((await app.call('bulk_delete_memories', { tags: ['lees'] }, lee)).count).toBe(0);
    // What it said while it was the team's is not theirs to bring back, nor to read.
    expect(await code('update_memory', { memory_id: moved, undo: true }, lee)).toBe('conflict');
    const { history } = await app.call('retrieve_memory', { memory_id: moved, include_history: true }, lee);
    expect(history).toEqual([]);
    expect(await code('retrieve_memory', { memory_id: id }, solo('max'))).toBe('ok');
  });

  test('a guest sees it until the very second their membership ends', async () => {
    const id = await app.store(text(), {}, await inTeam('mia'));
    const expires_at = new Date(app.clock.now() + 60_000).toISOString();
    await app.call('add_team_member', { team_id: team, user_id: 'gil', role: 'guest', expires_at }, { user: 'olga' });
    const gil = { user: 'gil' };
    app.clock.advance(59_999);
    expect(await code('retrieve_memory', { memory_id: id }, gil)).toBe('ok');
    app.clock.advance(1);
    expect(await code('retrieve_memory', { memory_id: id }, gil)).toBe('not_found');
  });
});

test('a search that finds nothing says where it did not look', async () => {
  await app.store('the quarterly key ceremony is on a Tuesday', {}, await inTeam('mia'));
  const search = { query: 'quarterly key ceremony' };
  const alone = await app.call('search_memories', search, { user: 'rita', session: 'fresh' });
  expect(alone).toMatchObject({ results: [], notice: expect.stringContaining('scope=team,shared') });
  expect(alone.notice).toContain('those of your teams');
  expect((await app.call('search_memories', search, { user: 'nobody' })).notice).not.toContain('teams');
  expect(
    (await app.call('search_memories', { ...search, scope: 'solo' }, { user: 'rita', session: 'fresh' })).notice,
  ).not.toContain('scope=');
  expect(
    (await app.call('search_memories', { ...search, scope: 'team,shared' }, { user: 'rita', session: 'fresh' }))
      .results,
  ).toHaveLength(1);
});
