// Imports and exports as surfaces call them, of people in teams: where memories go, who is refused before anything is read.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALNUM, seededRandom } from '../../bench/redaction/random.ts';
import { type App, openApp, refusalOf } from '../../test/support/open-app.ts';
import type { ImportOptions, TransferEvent } from '../surfaces/runtime.ts';

const { signal } = new AbortController();

let app: App;
let team: string;
let foreign: string;

beforeAll(async () => {
  app = await openApp();
  team = (await app.call('create_team', { name: 'Payments' }, { user: 'olga' })).team_id;
  foreign = (await app.call('create_team', { name: 'Search' }, { user: 'eve' })).team_id;
  const add = (user_id: string, role: string, expires_at?: string) =>
    app.call('add_team_member', { team_id: team, user_id, role, expires_at }, { user: 'olga' });
  await add('mia', 'member');
  await add('rita', 'readonly');
  await add('gus', 'guest', '2027-01-01');
});
afterAll(() => app[Symbol.asyncDispose]());

const principalOf = (user_id: string) => ({ user_id, agent_id: 'tester', machine_id: 'test-machine' });

/** Whether anything of it was read. */
function material(text: string) {
  const state = { read: false };
  async function* bytes(): AsyncGenerator<Uint8Array> {
    state.read = true;
    yield Buffer.from(text);
  }
  return { state, bytes: bytes() };
}

async function imported(user: string, text: string, options: Partial<ImportOptions> = {}) {
  const source = material(text);
  const events: TransferEvent[] = [];
  const wanted = { signal, file_name: 'all.jsonl', ...options };
  const run = async () => {
    for await (const event of app.runtime.transfers.importFrom(source.bytes, principalOf(user), wanted))
      events.push(event);
  };
  return { run, events, state: source.state };
}

async function done(user: string, text: string, options: Partial<ImportOptions> = {}) {
  const { run, events } = await imported(user, text, options);
  await run();
  return { last: events.at(-1), problems: events.filter(({ type }) => type === 'problem') };
}

async function refused(user: string, options: Partial<ImportOptions>) {
  const { run, state } = await imported(user, '{"content":"never read"}\n', options);
  const body = await refusalOf(run());
  expect(state.read).toBe(false);
  return body;
}

async function exported(user: string): Promise<string> {
  let text = '';
  for await (const piece of app.runtime.transfers.exportTo(principalOf(user), { format: 'jsonl', signal }))
    text += piece;
  return text;
}

const refusals = () =>
  app.rows(
    `select user_id, action from audit_log join audit_subjects using (subject_id)
     where result = 'refused' and action like 'import%' order by seq`,
  );

test('what is exported with memories of a team is all there when it is imported again', async () => {
  const inTeam = { user: 'mia', session: 'mia-team', project: 'till' };
  await app.call('set_mode', { mode: 'team', context_id: team }, inTeam);
  await app.store('Settlement closes at noon', {}, inTeam);
  const old = await app.store('Refunds take five days', { project: 'pay' }, inTeam);
  await app.store('Refunds take three days', { project: 'pay', supersedes: old }, inTeam);
  await app.store('My own note on refunds', {}, { user: 'mia' });
  await app.store('Everybody may know of refunds', { scope: 'shared' }, { user: 'mia' });
  const text = await exported('mia');
  const count = text.trim().split('\n').length;
  expect(text).toContain(team);
  const rows = 'select memory_id, version, team_id, deleted_at from memories order by row_id';
  const before = await app.rows(rows);
  expect(await done('mia', text)).toMatchObject({
    last: { type: 'done', stored: 0, updated: 0, skipped: count, problems: 0 },
  });
  expect(await app.rows(rows)).toEqual(before);
});

test('an import into a team puts all there, whatever the records say', async () => {
  const text = ['{"content":"Ledger one"}', '{"content":"Ledger two","scope":"solo"}']
    .concat(`{"content":"Ledger three","scope":"team","team_id":"${foreign}"}`)
    .join('\n');
  expect(await done('mia', text, { team_id: team })).toMatchObject({ last: { stored: 3, problems: 0 } });
  expect(await done('mia', text, { team_id: team, scope: 'team' })).toMatchObject({ last: { stored: 0, skipped: 3 } });
  const rows = await app.rows("select scope, team_id from memories where content like 'Ledger %'");
  expect(rows).toEqual(Array(3).fill({ scope: 'team', team_id: team }));
});

test.each(['rita', 'gus'])('%s, who only reads in the team, imports nothing into it, on record', async (user) => {
  const before = (await refusals()).length;
  expect(await refused(user, { team_id: team })).toMatchObject({ code: 'forbidden' });
  const { transfers } = app.runtime;
  const early = await refusalOf(transfers.assertImport(principalOf(user), { team_id: team }));
  expect(early).toMatchObject({ code: 'forbidden' });
  const caller = { user, session: `${user}-team` };
  await app.call('set_mode', { mode: 'team', context_id: team }, caller);
  const conversation_text = 'User: may I?\nAssistant: no';
  expect(await app.refusal('import_conversation', { conversation_text }, caller)).toMatchObject({ code: 'forbidden' });
  expect((await refusals()).slice(before)).toEqual(
    ['import', 'import', 'import_conversation'].map((action) => ({ user_id: user, action })),
  );
});

test('a team of others is as absent as one that never was', async () => {
  const before = await refusals();
  const made_up = foreign.replace(/.{6}$/, '000000');
  const answers = [await refused('mia', { team_id: foreign }), await refused('mia', { team_id: made_up })];
  expect(answers[0]).toMatchObject({ code: 'not_found' });
  expect(JSON.stringify(answers[1]).replaceAll(made_up, foreign)).toBe(JSON.stringify(answers[0]));
  expect(await refusals()).toEqual(before);
});

test('a team and another scope, or a scope without its team, is said before anything is read', async () => {
  expect(await refused('mia', { team_id: team, scope: 'solo' })).toMatchObject({ code: 'invalid_input' });
  expect(await refused('mia', { scope: 'team' })).toMatchObject({
    code: 'invalid_input',
    hint: expect.stringContaining('--team'),
  });
});

test('an import tells how many secrets it replaced, and of which kinds', async () => {
  const random = seededRandom(20_261_123);
  const secrets = [1, 2].map(() => `ghp_${random.text(ALNUM, 36)}`);
  const text = secrets.map((secret, i) => JSON.stringify({ content: `deploy ${i} with ${secret}` })).join('\n');
  const { last } = await done('mia', text);
  expect(last).toMatchObject({ stored: 2, redacted: 2, redacted_kinds: [expect.any(String)] });
  expect(await exported('mia')).not.toContain(secrets[0]);
  expect(await done('mia', '{"content":"nothing to hide"}')).toMatchObject({
    last: { redacted: 0, redacted_kinds: [] },
  });
});
