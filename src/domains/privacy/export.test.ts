// What an export says of a person: all that is theirs, nothing that is not, the same in pages as in one piece.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type App, contextOf, openApp } from '../../../test/support/open-app.ts';

let app: App;
beforeEach(async () => {
  app = await openApp();
});
afterEach(() => app[Symbol.asyncDispose]());

const ada = { user: 'ada', session: 'ses_ada' };
const bob = { user: 'bob', session: 'ses_bob' };

async function exportPage(input: unknown): Promise<Answer> {
  const ctx = contextOf('test-machine', { user: 'root', session: 'ses_root' });
  const principal = { ...ctx.principal, credential: { kind: 'local', admin: true } as const };
  return (await app.runtime.executor.execute('gdpr_export_user_data', input, { ...ctx, principal })).output as Answer;
}

/** By an administrator, so that the calls themselves are no rows of ada's. */
async function whole(format: string, limit?: number): Promise<{ text: string; pages: number; longest: number }> {
  let text = '';
  let longest = 0;
  for (let pages = 1, cursor: string | undefined; ; pages++) {
    const page: Answer = await exportPage({ user_id: 'ada', format, limit, cursor });
    text += page.text;
    longest = Math.max(longest, page.text.length);
    if (page.next_cursor === null) return { text, pages, longest };
    cursor = page.next_cursor;
  }
}

const recordsOf = (text: string): { table: string; relation: string; fields: Record<string, unknown> }[] =>
  JSON.parse(text).records;

async function fill(): Promise<void> {
  const id = await app.store('tea, "green", please', { tags: ['drinks'], metadata: { cup: 'large' } }, ada);
  await app.call('update_memory', { memory_id: id, content: 'coffee, please' }, ada);
  const gone = await app.store('not any more', { scope: 'shared' }, ada);
  await app.call('delete_memory', { memory_id: gone, reason: 'changed my mind' }, ada);
  await app.store('a text of bob for all', { scope: 'shared' }, bob);
  const { team_id } = await app.call('create_team', { name: 'Night shift' }, bob);
  await app.call('add_team_member', { team_id, user_id: 'ada', role: 'admin' }, bob);
  await app.call('add_team_member', { team_id, user_id: 'carol' }, ada);
  const { vault_id } = await app.call('create_vault', { name: 'Doors' }, ada);
  await app.call('store_in_vault', { vault_id, key: 'front-door', value: 'v-4711-secret' }, ada);
  await app.call('retrieve_from_vault', { vault_id, key: 'front-door', audit_reason: 'locked out' }, ada);
}

test('memories with their versions, the recycle bin, teams, key names and reasons; no values, nothing of others', async () => {
  await fill();
  const { text } = await whole('json');
  for (const wanted of [
    'coffee, please',
    'tea, \\"green\\", please',
    'not any more',
    'changed my mind',
    'front-door',
    'locked out',
  ])
    expect(text).toContain(wanted);
  for (const unwanted of ['v-4711-secret', 'a text of bob']) expect(text).not.toContain(unwanted);
  const records = recordsOf(text);
  const memory = records.find(({ table, fields }) => table === 'memories' && fields.content === 'coffee, please');
  expect(memory?.fields).toMatchObject({ user_id: 'ada', tags: ['drinks'], metadata: { cup: 'large' } });
  const added = records.find(({ table, relation }) => table === 'team_members' && relation === 'named');
  expect(added?.fields).toMatchObject({ added_by: 'ada' });
  expect(JSON.parse(text).notes.join(' ')).toContain('vault export');
});

test.each(['json', 'csv', 'markdown'])('pages of %s, joined, are the whole', async (format) => {
  await fill();
  // Each export is itself on the log, which is at the end.
  const withoutLog = (text: string) => text.split(/"?audit_details/)[0]?.replace(/"exported_at":"[^"]*"/, '');
  const inOne = await whole(format);
  const inPages = await whole(format, 1);
  expect(inPages.pages).toBeGreaterThan(10);
  expect(withoutLog(inPages.text)).toBe(withoutLog(inOne.text));
  if (format === 'json') expect(recordsOf(inPages.text).length).toBeGreaterThan(10);
});

test('pages stay small, whatever there is', async () => {
  for (let i = 0; i < 40; i++) await app.store(`${i} ${'long text '.repeat(500)}`, {}, ada);
  const { pages, longest, text } = await whole('json');
  expect(pages).toBeGreaterThan(2);
  expect(longest).toBeLessThan(70_000);
  expect(recordsOf(text).filter(({ table }) => table === 'memories')).toHaveLength(40);
});

test('a formula in a spreadsheet stays text, and quotation marks are doubled', async () => {
  await app.store('=cmd("x"), y', {}, ada);
  expect((await whole('csv')).text).toContain(',content,"\'=cmd(""x""), y"\r\n');
});

test('a cursor that is none is refused', async () => {
  for (const key of [
    ['x', 3],
    [JSON.stringify([':memories', 1]), 9_999],
    [JSON.stringify([]), 0],
  ]) {
    const cursor = Buffer.from(JSON.stringify(key)).toString('base64url');
    const refused = await app.refusal('gdpr_export_user_data', { user_id: 'ada', cursor }, ada);
    expect(refused.code).toBe('invalid_input');
  }
});

test('an export is on record, also one that begins with a cursor that was made up', async () => {
  await app.store('a private thought', {}, ada);
  const made_up = Buffer.from(JSON.stringify([JSON.stringify([':memories', 0]), 0])).toString('base64url');
  const page = await exportPage({ user_id: 'ada', cursor: made_up });
  expect(page.text).toContain('a private thought');
  const rows = await app.rows("select action, result from audit_log where action = 'gdpr_export_user_data'");
  expect(rows).toEqual([{ action: 'gdpr_export_user_data', result: 'ok' }]);
});
