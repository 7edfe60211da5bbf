// Who may call what, for every operation there is: each role, in each mode, on each kind of thing, against a table that was
// written by hand and knows nothing of the policy. An operation that no row names fails here until it is put in.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { operationDefinitions } from '../src/domains/operations.ts';
import { HaivemindError } from '../src/kernel/errors.ts';
import { type Credential, type OperatingMode, PERMISSIONS, type Permission } from '../src/kernel/operation.ts';
import { type Answer, type App, contextOf, openApp } from './support/open-app.ts';
import {
  expected,
  IN_TEAM_MODE,
  type Kind,
  MODES,
  OPERATIONS,
  ROLES,
  type Role,
  RULES,
  type Rule,
} from './support/permission-table.ts';

const userOf = (role: Role) => (role.startsWith('token_') ? 'author' : role);

const KEY = 'api_key';
const HOUR_MS = 3_600_000;

interface World {
  readonly app: App;
  readonly team_id: string;
  /** Counts everything that has to be made anew. */
  next(): number;
  readonly read: Map<Kind, object>;
  /** With a credential that limits nothing. */
  as(user: string, operation: string, input: object): Promise<Answer>;
}

async function makeWorld(): Promise<World> {
  const app = await openApp();
  let count = 0;
  const as: World['as'] = (user, operation, input) => app.call(operation, input, { user, session: `made_${user}` });
  const { team_id } = await as('owner', 'create_team', { name: 'Harbour', description: 'All of it' });
  const later = new Date(app.clock.now() + 1_000 * HOUR_MS).toISOString();
  const soon = new Date(app.clock.now() + HOUR_MS).toISOString();
  const add = (user_id: string, role: string, fields: object = {}) =>
    as('owner', 'add_team_member', { team_id, user_id, role, ...fields });
  await add('author', 'member');
  for (const role of ['admin', 'member', 'readonly']) await add(role, role);
  await add('guest', 'guest', { expires_at: later });
  await add('expired', 'member', { expires_at: soon });
  app.clock.advance(HOUR_MS);
  return { app, team_id, read: new Map(), next: () => ++count, as };
}

/** Fresh things of each kind as input fields of whatever operation acts on them. */
const MADE: Readonly<Record<Kind, (world: World, role: Role, operation: string) => Promise<Record<string, unknown>>>> =
  {
    nothing: async () => ({}),
    'solo memory': (world, _role, operation) => memories(world, operation, 'solo'),
    'team memory': (world, _role, operation) => memories(world, operation, 'team'),
    'shared memory': (world, _role, operation) => memories(world, operation, 'shared'),
    'personal vault': (world, _role, operation) => vault(world, operation, 'author', { vault_type: 'personal' }),
    'team vault': (world, _role, operation) =>
      vault(world, operation, 'owner', { vault_type: 'team', team_id: world.team_id }),
    'project vault': (world, _role, operation) =>
      vault(world, operation, 'owner', { vault_type: 'project', team_id: world.team_id, project_id: 'pier' }),
    async 'vault shared with the team'(world, _role, operation) {
      const made = await vault(world, operation, 'author', { vault_type: 'shared' });
      const share = { vault_id: made.vault_id, share_with: world.team_id, share_type: 'team', access_level: 'write' };
      await world.as('author', 'share_vault', share);
      return made;
    },
    async 'own inbox'(world, role) {
      await world.as(userOf(role), 'register_agent', { role: 'hive_mind' });
      return {};
    },
    async agent({ as }) {
      const { agent_id } = await as('author', 'register_agent', { role: 'hive_mind' });
      return { agent_id, to_agent_id: agent_id };
    },
    'solo project': (world) => project(world, { scope: 'solo' }),
    'team project': (world) => project(world, { team_id: world.team_id }),
    'shared project': (world) => project(world, { scope: 'shared' }),
    'solo task': (world) => task(world, { scope: 'solo' }),
    'team task': (world) => task(world, { team_id: world.team_id }),
    'shared task': (world) => task(world, { scope: 'shared' }),
    async 'backup of a project'(world) {
      const { project_id } = await project(world, { scope: 'solo' });
      return { backup_id: (await world.as('author', 'backup_project', { project_id: String(project_id) })).backup_id };
    },
    async team({ as, next, team_id }) {
      const user_id = `victim${next()}`;
      await as('owner', 'add_team_member', { team_id, user_id, role: 'readonly' });
      return { team_id, user_id, role: 'member', vault_type: 'team' };
    },
    // A team of its own each time, so that who accepts is a stranger again afterwards; for members the world's own team.
    async 'own invitation'(world, role) {
      const user_id = userOf(role);
      const outside = ['stranger', 'expired', 'hub_admin'].includes(user_id);
      const team_id = outside
        ? (await world.as('owner', 'create_team', { name: `Team ${world.next()}` })).team_id
        : undefined;
      if (team_id === undefined) return { invitation_code: 'inv_there_is_none_for_members' };
      return { invitation_code: await invited(world, team_id, user_id) };
    },
    'invitation of another': async (world) => ({
      invitation_code: await invited(world, world.team_id, `invited${world.next()}`),
    }),
    'own data': (world, role, operation) => dataOf(world, operation, userOf(role)),
    'data of another': (world, _role, operation) => dataOf(world, operation, `somebody${world.next()}`),
    'solo mode': async () => ({ mode: 'solo' }),
    'team mode': async ({ team_id }) => ({ mode: 'team', context_id: team_id }),
    async 'mode of a personal vault'(world) {
      const { vault_id } = await vault(world, 'set_mode', 'author', { vault_type: 'personal' });
      return { mode: 'vault', context_id: vault_id };
    },
  };

async function memories(world: World, operation: string, scope: string): Promise<Record<string, unknown>> {
  const store = async () => {
    await world.as(
      'author',
      'set_mode',
      scope === 'team' ? { mode: 'team', context_id: world.team_id } : { mode: 'solo' },
    );
    const content = `Crane ${world.next()} of the harbour is serviced in March.`;
    return (await world.as('author', 'store_memory', { content, scope })).memory_id;
  };
  const memory_id = await store();
  if (operation === 'recover_deleted_memory') await world.as('author', 'delete_memory', { memory_id });
  if (operation !== 'merge_duplicate_memories') return { memory_id };
  return { memory_id_1: memory_id, memory_id_2: await store() };
}

async function vault(world: World, operation: string, user: string, fields: object): Promise<Record<string, unknown>> {
  const { vault_id } = await world.as(user, 'create_vault', { name: `Vault ${world.next()}`, ...fields });
  await world.as(user, 'store_in_vault', { vault_id, key: KEY, value: `value ${world.next()}` });
  if (operation === 'restore_vault_secret') await world.as(user, 'delete_vault_secret', { vault_id, key: KEY });
  return { vault_id, key: KEY, share_with: `friend${world.next()}` };
}

async function project({ as, next }: World, place: object): Promise<Record<string, unknown>> {
  const { project_id } = await as('author', 'create_project', { name: `Pier ${next()}`, ...place });
  return { project_id };
}

async function task({ as, next }: World, place: object): Promise<Record<string, unknown>> {
  const made = await as('author', 'create_kanban_task', { title: `Crane ${next()}`, ...place });
  return { task_id: made.task.task_id };
}

async function invited({ as }: World, team_id: string, user_id: string): Promise<string> {
  const made = await as('owner', 'add_team_member', { team_id, user_id, role: 'member', invite: true });
  return made.invitation_code;
}

type Definition = (typeof operationDefinitions)[number];

/** Fresh for what changes it; what is only read is made once. */
async function madeFor(world: World, { name, effects }: Definition, kind: Kind, role: Role): Promise<object> {
  if (!effects.readOnly || kind === 'own data') return MADE[kind](world, role, name);
  const known = world.read.get(kind) ?? (await MADE[kind](world, role, name));
  world.read.set(kind, known);
  return known;
}

/** The definition's own example, with what is there in the place of what it names. */
async function inputOf(world: World, definition: Definition, kind: Kind, role: Role): Promise<object> {
  const shape = (definition.input as z.ZodObject).shape;
  const [example] = definition.examples;
  const made = await madeFor(world, definition, kind, role);
  const fresh: Record<string, unknown> = {
    ...made,
    ...(definition.name === 'revoke_token'
      ? { jti: (await administer(world, 'create_token', { user: 'somebody' })).jti }
      : {}),
    ...('confirm' in shape && definition.toolset !== 'privacy' ? { confirm: true } : {}),
  };
  const own = Object.entries(fresh).filter(([field]) => field in shape);
  const input: Record<string, unknown> = { ...example?.input, ...Object.fromEntries(own) };
  // New each time: the same text, value or name twice is another matter than whether it may be said.
  if ('content' in input) input.content = `${input.content} (${world.next()})`;
  if (definition.name === 'create_project') input.name = `${input.name} (${world.next()})`;
  return input;
}

/** By an administrator of the hub. */
async function administer({ app }: World, operation: string, input: object): Promise<Answer> {
  const ctx = contextOf('test-machine', { user: 'hub_admin', session: 'made_by_admin' });
  const credential: Credential = { kind: 'local', admin: true };
  const admin = { ...ctx, principal: { ...ctx.principal, credential } };
  return (await app.runtime.executor.execute(operation, input, admin)).output;
}

async function dataOf(world: World, operation: string, user_id: string): Promise<Record<string, unknown>> {
  const hold = { user_id, reason: 'for the test' };
  if (operation === 'release_legal_hold') await administer(world, 'place_legal_hold', hold);
  return { user_id };
}

function callerIn(role: Role, permission: Permission, mode: OperatingMode) {
  const ctx = contextOf('test-machine', { user: userOf(role), session: `ses_${userOf(role)}_${mode}` });
  const scopes = {
    token_without: PERMISSIONS.filter((other) => other !== permission),
    token_with: [permission],
  }[role as string];
  const credential: Credential | undefined =
    role === 'hub_admin' ? { kind: 'local', admin: true } : scopes && { kind: 'token', admin: false, scopes };
  return credential ? { ...ctx, principal: { ...ctx.principal, credential } } : ctx;
}

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'allowed';
  } catch (error) {
    if (error instanceof HaivemindError) return error.code === 'forbidden' ? 'forbidden' : error.code;
    throw error;
  }
}

/** Rows of the audit log that tell of a call; a call in vault mode has one more, for the mode. */
async function auditedActs(app: App, after: number): Promise<readonly Record<string, unknown>[]> {
  return app.rows("select seq, action, result from audit_log where seq > ? and action <> 'mode.call'", after);
}

const lastSeq = async (app: App) => Number((await app.rows('select seq from audit_head'))[0]?.seq);

test('every operation declares a permission there is, and is in the table with it', () => {
  for (const { name, permission } of operationDefinitions) {
    expect(PERMISSIONS).toContain(permission);
    const rule = OPERATIONS[name];
    expect(rule, `${name} is in no row of the table`).toBeDefined();
    if (rule) expect(`${name}: ${permission}`).toBe(`${name}: ${RULES[rule].permission}`);
  }
});

test('every row of the table speaks of all roles', () => {
  for (const rule of Object.values<Rule>(RULES))
    for (const row of Object.values(rule.on)) expect(row).toMatch(/^[AFN] [AFN] [AFN]{5} [AFN]{2} [AFN]{2}$/);
});

describe.each(operationDefinitions.map((definition) => [definition.name, definition] as const))(
  '%s',
  (name, definition) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld();
    });
    afterAll(() => world.app[Symbol.asyncDispose]());

    const rule: Rule | undefined = RULES[OPERATIONS[name] ?? 'memories listed'];
    test.each(Object.entries(rule.on) as [Kind, string][])('on %s', async (kind, row) => {
      expect(OPERATIONS[name], `${name} is in no row of the table`).toBeDefined();
      const seen: Record<string, string> = {};
      const wanted: Record<string, string> = {};
      const { app } = world;
      for (const mode of MODES) {
        for (const role of ROLES) {
          const cell = `${role} in ${mode} mode`;
          const caller = callerIn(role, definition.permission, mode);
          const session = { user: userOf(role), session: caller.session.key };
          const context = mode === 'team' ? { context_id: world.team_id } : {};
          const entering = await outcomeOf(app.call('set_mode', { mode, ...context }, session));
          const member = mode !== 'team' || !['stranger', 'expired', 'hub_admin'].includes(role);
          seen[`${cell}, entering`] = entering;
          wanted[`${cell}, entering`] = member ? 'allowed' : 'not_found';
          if (!member) continue;
          const input = await inputOf(world, definition, kind, role);
          const before = await lastSeq(app);
          const outcome = await outcomeOf(app.runtime.executor.execute(name, input, caller));
          seen[cell] = outcome;
          wanted[cell] = expected(
            (mode === 'team' && IN_TEAM_MODE[OPERATIONS[name] ?? 'memories listed']) || row,
            role,
          );
          const acts = await auditedActs(app, before);
          const told = outcome === 'allowed' ? 'ok' : 'refused';
          if ('audited' in definition || outcome === 'forbidden') {
            seen[`${cell}, on record`] = acts.some(({ result }) => result === told) ? told : 'not on record';
            wanted[`${cell}, on record`] = told;
          }
        }
      }
      expect(seen).toEqual(wanted);
    });
  },
);
