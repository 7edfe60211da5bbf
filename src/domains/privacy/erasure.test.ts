// A person who has done everything there is to do is erased: afterwards the name is nowhere, in whatever form.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { afterAll, expect, test, vi } from 'vitest';
import { startChroma, startRedis } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import {
  type Answer,
  type App,
  type AppOptions,
  contextOf,
  openApp,
  refusalOf,
} from '../../../test/support/open-app.ts';
import { onPostgres } from '../../../test/support/test-store.ts';
import type { Credential } from '../../kernel/operation.ts';
import { PERSONAL } from './personal-data.ts';

const ADMIN: Credential = { kind: 'local', admin: true };

/** A call as administrator of the hub. */
async function asAdmin(app: App, operation: string, input: unknown): Promise<Answer> {
  const ctx = contextOf('test-machine', { user: 'root', session: 'ses_root' });
  const principal = { ...ctx.principal, credential: ADMIN };
  return (await app.runtime.executor.execute(operation, input, { ...ctx, principal })).output as Answer;
}

const someone = () => `zq${randomBytes(6).toString('hex')}`;
const why = (name: string) => ({ audit_reason: `asked by ${name}` });

/** Does as `name`, and around `name`, everything that leaves rows; `bob` stays. */
async function live(app: App, name: string): Promise<void> {
  const me = { user: name, agent: `${name}-agent`, session: `ses_${name}`, project: `${name}-project` };
  const bob = { user: 'bob', session: 'ses_bob' };
  const { team_id } = await app.call('create_team', { name: `${name} & co` }, me);
  const { team_id: alone } = await app.call('create_team', { name: `${name} alone` }, me);
  await app.call('add_team_member', { team_id, user_id: 'bob', role: 'admin' }, me);
  const guest = { team_id: alone, user_id: 'carol', role: 'guest', expires_at: '2099-01-01' };
  await app.call('add_team_member', guest, me);
  const bobs = (await app.call('create_team', { name: `for ${name}` }, bob)).team_id;
  await app.call('add_team_member', { team_id: bobs, user_id: name, invite: true }, bob);
  await app.call('add_team_member', { team_id: bobs, user_id: name, role: 'member' }, bob);
  await app.call('add_team_member', { team_id, user_id: 'dave', invite: true }, me);

  await memories(app, name, team_id);
  await vaults(app, name, bobs);
  await agents(app, name);
  await work(app, name, team_id);
  await app.refusal('get_team', { team_id: 'team_none' }, me);
  await app.refusal('retrieve_from_vault', { vault_id: 'vlt_none', key: 'k', ...why(name) }, me);
  await asAdmin(app, 'create_token', { user: name, label: `laptop of ${name}` });
  await asAdmin(app, 'create_token', { user: 'bob', label: `made for ${name}` });
  await asAdmin(app, 'place_legal_hold', { user_id: name, reason: `${name} against bob` });
  await app.runtime.mcpSessions.create({
    session_id: `mcp-${randomBytes(8).toString('hex')}`,
    owner: name,
    state: { kind: 'streamable', subscriptions: [], agent_id: `${name}-agent` },
  });
  // Counts of calls are written behind; this writes them.
  await app.call('get_memory_access_stats', {}, me);
}

async function memories(app: App, name: string, team_id: string): Promise<void> {
  const me = { user: name, agent: `${name}-agent`, session: `ses_${name}`, project: `${name}-project` };
  const bob = { user: 'bob', session: 'ses_bob' };
  for (const scope of ['solo', 'shared'] as const) {
    const id = await app.store(`${name} prefers tea, ${scope}`, { scope, tags: [`by-${name}`, 'drinks'] }, me);
    await app.call('update_memory', { memory_id: id, content: `${name} prefers coffee, ${scope}` }, me);
    const gone = await app.store(`${name} forgets this, ${scope}`, { scope }, me);
    await app.call('delete_memory', { memory_id: gone, reason: `${name} wanted it` }, me);
  }
  for (const caller of [me, bob]) await app.call('set_mode', { mode: 'team', context_id: team_id }, caller);
  await app.store(`${name} wrote it for the team`, {}, me);
  const mention = { scope: 'shared', tags: [name], metadata: { owner: `${name}@example.com` }, context: `for ${name}` };
  const id = await app.store(`Ask ${name}@example.com about the racks`, mention, bob);
  await app.call('update_memory', { memory_id: id, content: `Ask ${name.toUpperCase()} about the new racks` }, bob);
  await app.store('Racks are cooled by water', { scope: 'shared' }, bob);
  const moderated = await app.store('a text of bob in the team', {}, bob);
  await app.call('delete_memory', { memory_id: moderated, reason: `${name} said so` }, me);
}

async function vaults(app: App, name: string, bobs_team: string): Promise<void> {
  const me = { user: name, agent: `${name}-agent`, session: `ses_${name}` };
  const bob = { user: 'bob', session: 'ses_bob' };
  const mine = (await app.call('create_vault', { name: `keys of ${name}` }, me)).vault_id;
  await app.call('store_in_vault', { vault_id: mine, key: 'door', value: `${name}-1234` }, me);
  await app.call('retrieve_from_vault', { vault_id: mine, key: 'door', ...why(name) }, me);
  const shared = (await app.call('create_vault', { name: 'for both', vault_type: 'shared' }, me)).vault_id;
  await app.call('store_in_vault', { vault_id: shared, key: 'gate', value: 'x-4711' }, me);
  await app.call('share_vault', { vault_id: shared, share_with: 'bob', access_level: 'admin' }, me);
  const bobs = (await app.call('create_vault', { name: `with ${name}` }, bob)).vault_id;
  await app.call('share_vault', { vault_id: bobs, share_with: name, access_level: 'write' }, bob);
  await app.call('store_in_vault', { vault_id: bobs, key: 'window', value: 'y-1' }, me);
  const team = { name: 'of the team', vault_type: 'team', team_id: bobs_team };
  await app.call('create_vault', team, bob);
}

async function agents(app: App, name: string): Promise<void> {
  const me = { user: name, agent: `${name}-agent`, session: `ses_${name}` };
  const bob = { user: 'bob', session: 'ses_bob' };
  const mine = { role: `desk of ${name}`, description: `asks ${name}`, capabilities: [`reading-${name}`] };
  const { agent_id } = await app.call('register_agent', mine, me);
  const helper = { role: `helps ${name}`, description: `for ${name}`, capabilities: [`calls-${name}`] };
  const { agent_id: bobs } = await app.call('register_agent', helper, bob);
  await app.call('send_message', { to_agent_id: bobs, message: `${name} is away` }, me);
  await app.call('send_message', { to_agent_id: agent_id, message: `Dear ${name}, the racks are in.` }, bob);
  const { messages } = await app.call('check_inbox', {}, bob);
  await app.call('send_message', { reply_to: messages[0].message_id, message: `${name} knows` }, bob);
  await app.call('check_inbox', { acknowledge: [messages[0].message_id] }, bob);
  // Heartbeats are written behind calls; this writes them.
  await app.call('get_agent_roster', {}, me);
  await app.call('check_inbox', {}, me);
}

async function work(app: App, name: string, team_id: string): Promise<void> {
  const me = { user: name, agent: `${name}-agent`, session: `ses_${name}` };
  const bob = { user: 'bob', session: 'ses_bob' };
  const plan = { name: `plan of ${name}`, description: `asked of ${name}`, tags: [`of-${name}`] };
  const { project_id } = await app.call('create_project', plan, me);
  await app.call('create_project', { name: `with ${name}`, description: `for ${name}`, team_id }, bob);
  await app.call('switch_project_context', { project_id, reason: `${name} begins` }, me);
  await app.call('project_health_check', { project_id }, me);
  const story = { title: `Story of ${name}`, description: `${name} tells it` };
  const { task } = await app.call('create_kanban_task', story, me);
  await app.call('create_kanban_task', { title: `${name} goes on`, dependencies: [task.task_id] }, me);
  await app.call('create_kanban_task', { title: `Call ${name}`, description: `about ${name}`, team_id }, bob);
}

/** The name as it may stand in bytes: plain, as hex, in a URL, and inside base64 at each of its three offsets. */
function formsOf(name: string): string[] {
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.from(`${' '.repeat(offset)}${name}`)
      .toString('base64')
      .replace(/=+$/, '');
    return text.slice(Math.ceil((offset * 4) / 3) + 1, -2);
  });
  return [name, encodeURIComponent(name), Buffer.from(name).toString('hex'), ...base64].map((form) =>
    form.toLowerCase(),
  );
}

function found(bytes: Buffer | string, name: string): string[] {
  const text = (typeof bytes === 'string' ? bytes : bytes.toString('latin1')).toLowerCase();
  return formsOf(name).filter((form) => text.includes(form));
}

const SKIPPED = /^(sqlite_|memory_fts_words$|haivemind_vectors)/;

async function tableTexts(app: App): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const table of (await app.tables()).filter((name) => !SKIPPED.test(name))) {
    const rows = await app.rows(`select * from "${table}"`);
    const plain = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value);
    texts.set(
      table,
      rows
        .map((row) => JSON.stringify(Object.values(row).map(plain), (_, v) => (typeof v === 'bigint' ? String(v) : v)))
        .join('\n'),
    );
  }
  return texts;
}

/** A digest of each table; what a call itself writes down is left out. */
async function digests(app: App): Promise<Map<string, string>> {
  const own = /^(audit_|agent_session|memory_fts|leases|commit_marks|memory_vector|vector_|mcp_sessions)/;
  const texts = [...(await tableTexts(app))].filter(([table]) => !own.test(table));
  return new Map(texts.map(([table, text]) => [table, createHash('sha256').update(text).digest('hex')]));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

async function expectNowhere(app: App, name: string): Promise<void> {
  for (const [table, text] of await tableTexts(app)) expect(found(text, name), table).toEqual([]);
  for (const file of filesBelow(app.data_dir)) expect(found(readFileSync(file), name), file).toEqual([]);
  const folder = mkdtempSync(join(tmpdir(), 'haivemind-erased-'));
  try {
    await app.runtime.backup(join(folder, 'after.db'));
    for (const file of filesBelow(folder)) expect(found(readFileSync(file), name), file).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const asMap = (report: Answer) =>
  Object.fromEntries(report.tables.map(({ table, ...counts }: { table: string }) => [table, counts]));

async function liveAndErase(app: App, name: string): Promise<void> {
  await live(app, name);
  for (const { table } of PERSONAL)
    expect(found((await tableTexts(app)).get(table) ?? '', name).length > 0 || VIA.includes(table), table).toBe(true);
  const held = await refusalOf(asAdmin(app, 'gdpr_delete_user_data', { user_id: name, confirm: true }));
  expect(held).toMatchObject({ code: 'conflict', message: expect.stringContaining('legal hold') });
  await asAdmin(app, 'release_legal_hold', { user_id: name, reason: 'settled' });

  const before = await digests(app);
  const dry = await asAdmin(app, 'gdpr_delete_user_data', { user_id: name, redact_mentions: true });
  expect(dry).toMatchObject({ erased: false, on_hold: false, teams_handed_over: 1, teams_deleted: 1 });
  expect(await digests(app)).toEqual(before);
  const input = { user_id: name, confirm: true, redact_mentions: true, reason: `${name} asked` };
  const done = await asAdmin(app, 'gdpr_delete_user_data', input);
  expect(done).toMatchObject({ erased: true, teams_handed_over: 1, teams_deleted: 1 });
  expect(asMap(done)).toEqual(asMap(dry));
  if (!onPostgres) expect(done.left).toBe('');
}

/** Rows are the user's by another row and need not repeat the name, or are gone as soon as a memory was made of them. */
const VIA = ['audit_log', 'task_dependencies', 'learning_events', 'project_health', 'project_backups'];

async function expectOthersUnharmed(app: App): Promise<void> {
  const bob = { user: 'bob', session: 'ses_bob' };
  const answer = await app.call('search_memories', { query: 'racks' }, bob);
  expect(answer.results.length).toBe(2);
  expect(JSON.stringify(answer)).toMatch(/Ask erased-[0-9a-f]{16} about the new racks/);
  const { vaults: list } = await app.call('list_vaults', {}, bob);
  const shared = list.find((vault: { name: string }) => vault.name === 'for both');
  const got = await app.call('retrieve_from_vault', { vault_id: shared.vault_id, key: 'gate', ...why('bob') }, bob);
  expect(got.value).toBe('x-4711');
  const { teams } = await app.call('list_teams', {}, bob);
  expect(teams.map((team: { role: string }) => team.role)).toEqual(['owner', 'owner']);
  expect(await asAdmin(app, 'verify_audit_log', {})).toMatchObject({ ok: true });
}

test('nothing of an erased user is left, and others keep what is theirs', async () => {
  await using app = await openApp();
  const name = someone();
  await liveAndErase(app, name);
  await expectNowhere(app, name);
  await expectOthersUnharmed(app);
  const again = await asAdmin(app, 'gdpr_delete_user_data', { user_id: name, confirm: true });
  expect(again.tables.filter(({ table }: { table: string }) => !table.startsWith('audit'))).toEqual([]);
});

test('an erasure that was interrupted goes on where it was', async () => {
  await using app = await openApp();
  const name = someone();
  await live(app, name);
  await asAdmin(app, 'release_legal_hold', { user_id: name, reason: 'settled' });
  let interruptions = 0;
  for (let checks = 3; ; checks += 7) {
    const stopped = new AbortController();
    const signal = { ...countingSignal(stopped, checks) };
    const ctx = contextOf('test-machine', { user: 'root', session: 'ses_root' });
    const principal = { ...ctx.principal, credential: ADMIN };
    const input = { user_id: name, confirm: true, redact_mentions: true };
    const call = app.runtime.executor.execute('gdpr_delete_user_data', input, { ...ctx, principal, ...signal });
    if (
      await call.then(
        () => true,
        () => false,
      )
    )
      break;
    expect(++interruptions).toBeLessThan(100);
  }
  expect(interruptions).toBeGreaterThan(3);
  await expectNowhere(app, name);
  await expectOthersUnharmed(app);
});

/** A signal that is aborted when it was asked so many times. */
function countingSignal(stopped: AbortController, checks: number): { signal: AbortSignal } {
  let asked = 0;
  const { signal } = stopped;
  const throwIfAborted = () => {
    if (++asked === checks) stopped.abort(new Error('stopped by the test'));
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
  return { signal: Object.defineProperty(signal, 'throwIfAborted', { value: throwIfAborted }) };
}

test("users erase themselves and nobody else; what others wrote is the administrators' business", async () => {
  await using app = await openApp();
  const name = someone();
  const me = { user: name, session: `ses_${name}` };
  await app.store(`${name} is here`, {}, me);
  await app.store(`${name} was here`, { scope: 'shared' }, { user: 'bob' });
  const other = await app.refusal('gdpr_delete_user_data', { user_id: 'bob', confirm: true }, me);
  expect(other.code).toBe('forbidden');
  expect(await app.refusal('gdpr_export_user_data', { user_id: 'nobody-knows' }, me)).toMatchObject({
    code: 'forbidden',
  });
  const redact = { user_id: name, confirm: true, redact_mentions: true };
  expect((await app.refusal('gdpr_delete_user_data', redact, me)).code).toBe('forbidden');
  for (const operation of ['place_legal_hold', 'release_legal_hold'])
    expect((await app.refusal(operation, { user_id: name, reason: 'x' }, me)).code).toBe('forbidden');
  await asAdmin(app, 'place_legal_hold', { user_id: name, reason: 'a case' });
  const held = await app.refusal('gdpr_delete_user_data', { user_id: name, confirm: true }, me);
  expect(held.code).toBe('conflict');
  expect(JSON.stringify(held)).not.toMatch(/hold/i);
  await asAdmin(app, 'release_legal_hold', { user_id: name, reason: 'over' });
  expect(await app.call('gdpr_delete_user_data', { user_id: name, confirm: true }, me)).toMatchObject({
    erased: true,
    mentions: null,
    on_hold: null,
  });
  const texts = await tableTexts(app);
  const left = [...texts].filter(([, text]) => found(text, name).length > 0).map(([table]) => table);
  expect(left.filter((table) => !table.startsWith('memory_'))).toEqual(['memories']);
});

function enginesOf(redis: string, chroma: string): NonNullable<AppOptions['engines']> {
  const vectors = { engine: 'chroma', url: chroma, tenant: 'default_tenant', database: 'default_database' } as const;
  return { redis: { url: redis, prefix: 'erasure' }, vectors };
}

/** Every key and value, as text. */
async function redisDump(url: string): Promise<string> {
  const client = createClient({ url });
  await client.connect();
  try {
    const parts: string[] = [];
    for await (const keys of client.scanIterator()) {
      for (const key of keys) {
        // Embeddings of questions, with their words: found by who asks the same alone, and gone after a day.
        if (key.includes(':cache:fixed:query:')) continue;
        const dumped = await client.sendCommand(['DUMP', key]);
        parts.push(key, String(dumped));
        const kind = await client.type(key);
        if (kind === 'string') parts.push(String(await client.get(key)));
        if (kind === 'hash') parts.push(JSON.stringify(await client.hGetAll(key)));
        if (kind === 'stream') parts.push(JSON.stringify(await client.sendCommand(['XRANGE', key, '-', '+'])));
      }
    }
    return parts.join('\n');
  } finally {
    client.destroy();
  }
}

/** Every record of every collection with its document and metadata, as text. */
async function chromaDump(url: string): Promise<string> {
  const collections = `${url}/api/v2/tenants/default_tenant/databases/default_database/collections`;
  const list = (await (await fetch(collections)).json()) as { id: string }[];
  const records = await Promise.all(
    list.map(async ({ id }) => {
      const body = JSON.stringify({ include: ['documents', 'metadatas'] });
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`${collections}/${id}/get`, { method: 'POST', body, headers })).text();
    }),
  );
  return [JSON.stringify(list), ...records].join('\n');
}

describeEngine(['redis', 'chroma'], () => {
  let stop: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const each of stop) await each();
    stop = [];
  });

  test('nothing is left in Redis and Chroma', async () => {
    const [redis, chroma] = [await startRedis(), await startChroma()];
    stop = [() => redis.stop(), () => chroma.stop()];
    const engines = enginesOf(redis.url, chroma.url);
    await using app = await openApp({ embedding: 'local', role: 'stdio', engines });
    const name = someone();
    await live(app, name);
    const settled = async () => {
      app.clock.advance(120_000);
      const [row] = await app.rows(
        'select (select count(*) from memory_vector_queue) + (select count(*) from vector_outbox) as n',
      );
      expect(row?.n).toBe(0);
    };
    await vi.waitFor(settled, { timeout: 60_000, interval: 50 });
    expect(found(await chromaDump(chroma.url), name)).not.toEqual([]);
    await asAdmin(app, 'release_legal_hold', { user_id: name, reason: 'settled' });
    const input = { user_id: name, confirm: true, redact_mentions: true };
    expect(await asAdmin(app, 'gdpr_delete_user_data', input)).toMatchObject({ erased: true });
    await vi.waitFor(settled, { timeout: 60_000, interval: 50 });
    await expectNowhere(app, name);
    expect(found(await chromaDump(chroma.url), name)).toEqual([]);
    expect(found(await redisDump(redis.url), name)).toEqual([]);
    await expectOthersUnharmed(app);
  }, 240_000);
});
