// Registration: one agent for a user's client, machine and role, found again by the same call, and bound to the session.
import type { Updateable } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { ActingAgent, OperationContext } from '../../kernel/operation.ts';
import type { VersionVector } from '../../storage/changes.ts';
import type { AgentDeps, AgentStore, AgentTrx } from './deps.ts';
import { agentNameTaken, tooManyAgents } from './errors.ts';
import { capabilitiesOfMachine } from './machine-groups.ts';
import { machineOf, namesFor } from './names.ts';
import { type AgentRow, capabilitiesIn } from './repository.ts';
import type { AgentTable } from './tables.ts';

export interface Registration {
  readonly role: string;
  readonly description?: string | undefined;
  /** Undefined: as before, else those of the machine's group. Empty: those of the group. */
  readonly capabilities?: readonly string[] | undefined;
  readonly machine?: string | undefined;
}

export interface Registered {
  readonly row: AgentRow;
  readonly agent: ActingAgent;
  readonly created: boolean;
}

type Wanted = Pick<AgentTable, 'user_id' | 'client' | 'machine_id' | 'role'>;

/**
 * Errors: `forbidden` for a machine the credential is not for, `conflict` where the agent it names is another user's,
 * `limit_exceeded` for one more agent than a user may have.
 */
export async function register(deps: AgentDeps, input: Registration, ctx: OperationContext): Promise<Registered> {
  const { store, redact, changed } = deps;
  const { principal } = ctx;
  const client = ctx.agent?.client ?? ctx.client ?? principal.agent_id;
  const wanted: Wanted = {
    user_id: principal.user_id,
    client,
    machine_id: machineOf(principal, input.machine),
    role: input.role,
  };
  const description = input.description === undefined ? undefined : (await redact(input.description)).text;
  const capabilities = input.capabilities && (await withoutSecrets(redact, input.capabilities));
  const { row, news } = await store.write(async (trx) => {
    // Registering is rare: one at a time, names are given without anybody coming in between.
    await store.dialect.serialise(trx, 'register-agent');
    const known = await findOwn(trx, wanted, principal.credential?.agent_id);
    const values = { ...wanted, ...describe(deps, { ...input, description, capabilities }, wanted.machine_id, known) };
    const written = known ? await update(store, trx, known, values) : await insert(store, trx, values, ctx);
    await bind(trx, ctx, written.row.agent_id, client, toIso(store.clock.now()));
    return written;
  });
  if (news !== 'none') changed('agent', row.agent_id);
  const agent = { agent_id: row.agent_id, client, capabilities: capabilitiesIn(row) };
  return { row, agent, created: news === 'created' };
}

/** Capabilities came in small letters: what was written in capitals is looked at as it was, too. */
async function withoutSecrets(redact: AgentDeps['redact'], capabilities: readonly string[]): Promise<string[]> {
  const clean = async (capability: string) => {
    const { text } = await redact(capability);
    const capitals = text.toUpperCase();
    const { text: upper } = await redact(capitals);
    return upper === capitals ? text : upper.toLowerCase();
  };
  return [...new Set(await Promise.all(capabilities.map(clean)))];
}

/** The agent that is meant: that of the credential, else the one of this user, client, machine and role. */
async function findOwn(trx: AgentTrx, wanted: Wanted, fixed: string | undefined): Promise<AgentRow | undefined> {
  const same = await trx
    .selectFrom('agents')
    .selectAll()
    .where('user_id', '=', wanted.user_id)
    .where('client', '=', wanted.client)
    .where('machine_id', '=', wanted.machine_id)
    .where('role', '=', wanted.role)
    .executeTakeFirst();
  if (fixed === undefined) return same;
  const named = await trx.selectFrom('agents').selectAll().where('agent_id', '=', fixed).executeTakeFirst();
  if (named && named.user_id !== wanted.user_id) throw agentNameTaken(fixed);
  if (same && same.agent_id !== fixed) throw agentNameTaken(fixed);
  return named;
}

function describe(
  { machine_groups }: AgentDeps,
  { description, capabilities }: Registration,
  machine_id: string,
  known: AgentRow | undefined,
): Pick<AgentTable, 'description' | 'capabilities' | 'capabilities_from'> {
  const said = description ?? known?.description ?? '';
  const given = capabilities ?? (known?.capabilities_from === 'given' ? capabilitiesIn(known) : []);
  if (given.length > 0) return { description: said, capabilities: JSON.stringify(given), capabilities_from: 'given' };
  const own = capabilitiesOfMachine(machine_id, machine_groups);
  const capabilities_from = own.length > 0 ? 'machine_group' : 'none';
  return { description: said, capabilities: JSON.stringify(own), capabilities_from };
}

interface Written {
  readonly row: AgentRow;
  readonly news: 'created' | 'updated' | 'none';
}

type Values = Omit<AgentTable, 'agent_id' | 'registration_id' | 'registered_at' | 'updated_at' | keyof VersionedOnly>;
type VersionedOnly = Pick<AgentTable, 'origin' | 'origin_sequence' | 'clock' | 'version_vector'>;

async function update(store: AgentStore, trx: AgentTrx, known: AgentRow, values: Values): Promise<Written> {
  const fields = Object.keys(values) as (keyof Values)[];
  if (fields.every((field) => known[field] === values[field])) return { row: known, news: 'none' };
  const before = JSON.parse(known.version_vector) as VersionVector;
  const changes: Updateable<AgentTable> = {
    ...values,
    updated_at: toIso(store.clock.now()),
    ...(await store.recordChange(trx, { entity: 'agent', entity_id: known.registration_id, kind: 'put', before })),
  };
  await trx.updateTable('agents').set(changes).where('agent_id', '=', known.agent_id).execute();
  return { row: { ...known, ...changes } as AgentRow, news: 'updated' };
}

async function insert(store: AgentStore, trx: AgentTrx, values: Values, ctx: OperationContext): Promise<Written> {
  await assertRoom(trx, values.user_id);
  const fixed = ctx.principal.credential?.agent_id;
  const agent_id = fixed ?? (await freeName(trx, namesFor({ ...values, machine: values.machine_id })));
  const now_ms = store.clock.now();
  const now = toIso(now_ms);
  const registration_id = newId('agt', now_ms);
  const row: AgentRow = {
    agent_id,
    registration_id,
    ...values,
    registered_at: now,
    updated_at: now,
    ...(await store.recordChange(trx, { entity: 'agent', entity_id: registration_id, kind: 'put', before: {} })),
  };
  await trx.insertInto('agents').values(row).execute();
  return { row, news: 'created' };
}

async function assertRoom(trx: AgentTrx, user_id: string): Promise<void> {
  const { count } = await trx
    .selectFrom('agents')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('user_id', '=', user_id)
    .executeTakeFirstOrThrow();
  if (Number(count) >= limits.agents_per_user_max_count) throw tooManyAgents();
}

async function freeName(trx: AgentTrx, names: readonly [string, ...string[]]): Promise<string> {
  const rows = await trx
    .selectFrom('agents')
    .select('agent_id')
    .where('agent_id', 'in', [...names])
    .execute();
  const taken = new Set(rows.map(({ agent_id }) => agent_id));
  const free = names.find((name) => !taken.has(name));
  if (free === undefined) throw agentNameTaken(names[0]);
  return free;
}

/** From now on the session acts as this agent. */
async function bind(
  trx: AgentTrx,
  { principal, session }: OperationContext,
  agent_id: string,
  client: string,
  now: string,
): Promise<void> {
  const { user_id, machine_id } = principal;
  const bound = { agent_id, client, machine_id, bound_at: now, last_used_at: now };
  await trx
    .insertInto('session_contexts')
    .values({
      session_key: session.key,
      user_id,
      ...bound,
      project_id: null,
      reason: null,
      switched_at: null,
    })
    .onConflict((conflict) =>
      // The key has the user in it already; a session must never be bound for anybody else.
      conflict.column('session_key').doUpdateSet(bound).where('session_contexts.user_id', '=', user_id),
    )
    .execute();
}
