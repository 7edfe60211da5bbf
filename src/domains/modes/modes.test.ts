// The mode of a session: what may be chosen, who keeps it, who takes it over, and what ends it.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type App, type CallerOptions, DAY_MS, openApp } from '../../../test/support/open-app.ts';
import { openDatabase } from '../../storage/index.ts';
import { createModes } from './modes.ts';
import type { ModeTables } from './tables.ts';

const MINUTE_MS = 60_000;
const ADA = { user: 'ada' };
const MAX = { user: 'max@example.com' };

let app: App;
let team_id: string;
beforeEach(async () => {
  app = await openApp();
  team_id = (await app.call('create_team', { name: 'Edge' }, ADA)).team_id;
  await app.call('add_team_member', { team_id, user_id: MAX.user, role: 'member' }, ADA);
});
afterEach(() => app[Symbol.asyncDispose]());

const set = (who: CallerOptions, mode = 'team', context_id: string | null = team_id) =>
  app.call('set_mode', { mode, ...(context_id === null ? {} : { context_id }) }, who);
const modeOf = async (who: CallerOptions) => (await app.call('get_mode', {}, who)).mode;

test('a session begins in solo and goes on in what it chose', async () => {
  expect(await app.call('get_mode', {}, MAX)).toMatchObject({
    mode: 'solo',
    context_id: null,
    since: null,
    operating_mode: 'solo',
  });
  const chosen = await set(MAX);
  expect(chosen).toMatchObject({ mode: 'team', context_id: team_id, context_name: 'Edge' });
  expect(chosen.meaning).toContain('go to the team');
  const now = await app.call('get_mode', {}, MAX);
  expect(now).toMatchObject({ mode: 'team', context_name: 'Edge', since: chosen.since });
  expect(now.operating_mode).toBe(`team ${team_id}`);
  const { teams } = await app.call('list_teams', {}, MAX);
  expect(teams).toMatchObject([{ team_id, active: true }]);
  await set(MAX, 'solo', null);
  expect(await modeOf(MAX)).toBe('solo');
});

describe('what cannot be chosen', () => {
  test.each([
    [{ mode: 'panic' }, 'invalid_input', 'solo'],
    [{ mode: 'solo', context_id: 'team_x' }, 'invalid_input', 'context_id'],
    [{ mode: 'team' }, 'invalid_input', 'context_id'],
    [{}, 'invalid_input', 'mode'],
    [{ mode: 'vault', context_id: 'vault_00000000000000000000000000' }, 'not_found', 'vault'],
  ])('%j', async (input, code, says) => {
    const error = await app.refusal('set_mode', input, MAX);
    expect(error.code).toBe(code);
    expect(JSON.stringify(error)).toContain(says);
    expect(await modeOf(MAX)).toBe('solo');
  });

  test('a foreign team or vault is answered as one that never was', async () => {
    const vault_id = (await app.call('create_vault', { name: 'Mine', vault_type: 'personal' }, ADA)).vault_id;
    for (const [mode, context_id] of [
      ['team', team_id],
      ['vault', vault_id],
    ] as const) {
      const never = `${mode}_00000000000000000000000000`;
      const foreign = await app.refusal('set_mode', { mode, context_id }, { user: 'eve' });
      const absent = await app.refusal('set_mode', { mode, context_id: never }, { user: 'eve' });
      expect(foreign.code).toBe('not_found');
      expect(JSON.stringify(foreign).replaceAll(context_id, never)).toBe(JSON.stringify(absent));
    }
  });
});

test('choosing and each call in vault mode stand in the audit log', async () => {
  const { vault_id } = await app.call('create_vault', { name: 'Mine', vault_type: 'personal' }, MAX);
  await set(MAX, 'vault', vault_id);
  expect(await app.call('get_mode', {}, MAX)).toMatchObject({ mode: 'vault', context_name: 'Mine' });
  expect((await app.call('list_available_modes', {}, MAX)).vaults).toMatchObject([{ vault_id, level: 'admin' }]);
  await set(MAX, 'solo', null);
  const rows = await app.rows(
    "select action, audit_log.target_id, details from audit_log join audit_details using (seq) where action like 'mode.%' order by seq",
  );
  expect(rows.map((row) => [row.action, row.target_id])).toEqual([
    ['mode.set', vault_id],
    ['mode.call', 'get_mode'],
    ['mode.call', 'list_available_modes'],
    ['mode.call', 'set_mode'],
    ['mode.set', null],
  ]);
  expect(JSON.parse(String(rows[0]?.details))).toMatchObject({ mode: 'vault', before: 'solo' });
  expect(JSON.parse(String(rows.at(-1)?.details))).toMatchObject({ mode: 'solo', before: `vault ${vault_id}` });
});

describe('a mode that ended', () => {
  test('without its team a session is back in solo, says so, and stays there', async () => {
    await set(MAX);
    await app.call('remove_team_member', { team_id, user_id: MAX.user }, ADA);
    const first = await app.call('list_teams', {}, MAX);
    expect(first.operating_mode).toContain(`solo (fell back from team ${team_id}`);
    const second = await app.call('get_mode', {}, MAX);
    expect(second).toMatchObject({ mode: 'solo', operating_mode: 'solo', fell_back_from: `team ${team_id}` });
    await app.call('add_team_member', { team_id, user_id: MAX.user, role: 'member' }, ADA);
    expect(await modeOf(MAX)).toBe('solo');
    await set(MAX);
    expect(await app.call('get_mode', {}, MAX)).toMatchObject({ mode: 'team', fell_back_from: null });
  });

  test('a membership that expires takes the mode along, to the millisecond', async () => {
    const expires_at = new Date(app.clock.now() + 1_000).toISOString();
    await app.call('add_team_member', { team_id, user_id: MAX.user, role: 'member', expires_at }, ADA);
    await set(MAX);
    app.clock.advance(999);
    expect(await modeOf(MAX)).toBe('team');
    app.clock.advance(1);
    expect(await modeOf(MAX)).toBe('solo');
  });

  test('so does a grant on a vault', async () => {
    const { vault_id } = await app.call('create_vault', { name: 'Shared', vault_type: 'personal' }, ADA);
    const expires_at = new Date(app.clock.now() + 1_000).toISOString();
    const grant = { vault_id, share_with: MAX.user, share_type: 'user', access_level: 'read', expires_at };
    await app.call('share_vault', grant, ADA);
    await set(MAX, 'vault', vault_id);
    app.clock.advance(999);
    expect(await modeOf(MAX)).toBe('vault');
    app.clock.advance(1);
    const answers = await Promise.all([app.call('list_teams', {}, MAX), app.call('list_teams', {}, MAX)]);
    for (const { operating_mode } of answers) expect(operating_mode).toMatch(/^solo/);
    expect(await app.rows("select target_id from audit_log where action = 'mode.fell_back'")).toEqual([
      { target_id: vault_id },
    ]);
  });
});

describe('sessions', () => {
  const first: CallerOptions = { ...MAX, session: 'first', transport: 'http' };
  const second: CallerOptions = { ...MAX, session: 'second', transport: 'http' };

  test('a client that reconnects goes on where it was, and is told', async () => {
    await set(first);
    app.clock.advance(30 * MINUTE_MS);
    const taken = await app.call('get_mode', {}, second);
    expect(taken).toMatchObject({ mode: 'team', context_id: team_id });
    expect(taken.operating_mode).toContain('taken over');
    expect((await app.call('get_mode', {}, second)).operating_mode).toBe(`team ${team_id}`);
  });

  test.each([
    ['after half an hour', {}, 30 * MINUTE_MS + 1],
    ['another agent', { agent: 'other' }, 0],
    ['another user', { user: 'ada' }, 0],
    ['a terminal, which is a session of its own', { transport: 'cli' as const }, 0],
  ])('%s begins in solo', async (_who, more, after_ms) => {
    await set(first);
    app.clock.advance(after_ms);
    expect(await modeOf({ ...second, ...more })).toBe('solo');
  });

  test('of two at the same time neither changes the other', async () => {
    expect(await modeOf(second)).toBe('solo');
    await set(first);
    expect(await modeOf(second)).toBe('solo');
    await set(second, 'vault', null);
    expect([await modeOf(first), await modeOf(second)]).toEqual(['team', 'vault']);
  });

  test('first calls at once agree', async () => {
    await set(first);
    const modes = await Promise.all(Array.from({ length: 6 }, () => modeOf(second)));
    expect(new Set(modes)).toEqual(new Set(['team']));
    expect(await app.rows("select count(*) as n from agent_modes where session_key = 'second'")).toEqual([{ n: 1 }]);
  });

  test('it survives a restart and another hub, for a month of silence', async () => {
    await set(first);
    const { data_dir, machine_id } = app.config;
    const { postgres } = app.config.engines;
    const other = await openDatabase({
      data_dir,
      machine_id,
      clock: app.clock,
      ...(postgres ? { postgres } : {}),
    } as never);
    try {
      const modes = createModes(other.withTables<ModeTables>());
      const principal = { user_id: MAX.user, agent_id: 'tester', machine_id };
      const derived = { principal, session: { key: 'first', transport: 'http', derived: true } } as const;
      const named = { principal, session: { key: 'first', transport: 'http' } } as const;
      app.clock.advance(30 * MINUTE_MS + 1);
      expect(await modes.of(derived)).toMatchObject({ mode: { mode: 'team' }, over: true });
      expect(await modes.of(named)).toMatchObject({ mode: { mode: 'team', context_id: team_id }, over: false });
      app.clock.advance(30 * DAY_MS);
      expect(await modes.prune()).toBe(0);
      app.clock.advance(1);
      expect(await modes.prune()).toBe(1);
      expect(await modes.of({ principal, session: { key: 'first', transport: 'internal' } })).toMatchObject({
        mode: { mode: 'solo' },
      });
    } finally {
      await other.close();
    }
  });
});
