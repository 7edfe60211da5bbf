// The SQL of sight and of change says what the policy says, for any rows and anybody, on either engine.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTemporaryDatabase } from '../../../test/support/temporary-database.ts';
import { type Principal, TEAM_CAPABILITIES, TEAM_ROLES } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import { type CapabilityOverrides, capabilitiesOf, mayChangeMemory, maySeeMemory } from '../access/index.ts';
import { changeableBy, isVisibleTo, seen, visibleTo } from './filters.ts';
import { reachOf } from './reach.ts';
import type { MemoryRow } from './record.ts';
import type { MemoryDatabase } from './repository.ts';
import type { Scope } from './schema.ts';
import { newRow, storeRows } from './search/stored-rows.ts';
import type { MemoryTables } from './tables.ts';

const USERS = ['ada', 'bob', 'eve'] as const;
const TEAMS = ['t1', 't2'] as const;

const user = fc.constantFrom(...USERS);
const team = fc.constantFrom(...TEAMS);
const rowOf = fc.record({
  scope: fc.constantFrom<Scope>('solo', 'team', 'shared'),
  user_id: user,
  team_id: fc.option(team),
});
const overrides: fc.Arbitrary<CapabilityOverrides> = fc.dictionary(fc.constantFrom(...TEAM_CAPABILITIES), fc.boolean());
const membership = fc
  .record({ team_id: team, role: fc.constantFrom(...TEAM_ROLES), overrides })
  .map(({ team_id, role, overrides }) => ({
    team_id,
    team_name: team_id,
    role,
    capabilities: capabilitiesOf(role, overrides),
  }));
const principalOf: fc.Arbitrary<Principal> = fc.record(
  {
    user_id: user,
    agent_id: fc.constant('agent'),
    machine_id: fc.constant('machine'),
    teams: fc.uniqueArray(membership, { selector: (each) => each.team_id }),
  },
  { requiredKeys: ['user_id', 'agent_id', 'machine_id'] },
);

let database: Database;
let store: MemoryDatabase;
beforeAll(async () => {
  database = await openTemporaryDatabase({});
  store = database.withTables<MemoryTables>();
});
afterAll(() => database.close());

type Row = Pick<MemoryRow, 'user_id' | 'team_id'> & { readonly scope: Scope };

/** Empties the store and puts these rows in; resolves with their ids in order. */
async function replaceAll(rows: readonly Row[]): Promise<number[]> {
  await store.write(async (trx) => {
    for (const table of ['memory_vector_queue', 'memories'] as const) await trx.deleteFrom(table).execute();
  });
  return storeRows(
    store,
    rows.map((row, i) => newRow(`mem_${i}`, row)),
  );
}

async function idsOf(where: (eb: Parameters<typeof visibleTo>[0]) => ReturnType<typeof visibleTo>): Promise<number[]> {
  const rows = await store.db.selectFrom('memories').select('row_id').where(where).orderBy('row_id').execute();
  return rows.map((row) => Number(row.row_id));
}

test('see and change: SQL and policy agree', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(rowOf, { minLength: 1, maxLength: 8 }), principalOf, async (rows, principal) => {
      const ids = await replaceAll(rows);
      const allowed = (rule: (row: Row) => boolean) => ids.filter((_, i) => rule(rows[i] as Row));
      const may_see = allowed((row) => maySeeMemory(principal, row).allowed);
      expect(allowed((row) => isVisibleTo(row, principal))).toEqual(may_see);
      expect(await idsOf((eb) => visibleTo(eb, principal))).toEqual(may_see);
      expect(await idsOf((eb) => seen(eb, {}, principal))).toEqual(may_see);
      expect(await idsOf((eb) => changeableBy(eb, principal))).toEqual(
        allowed((row) => mayChangeMemory(principal, row).allowed),
      );
    }),
    { numRuns: 150 },
  );
});

test('a reach never shows more than may be seen, and in its mode all of that place', async () => {
  const modes = fc.oneof(
    fc.constant({ mode: 'solo', context_id: null } as const),
    team.map((context_id) => ({ mode: 'team', context_id }) as const),
  );
  const scopes = fc.option(fc.uniqueArray(fc.constantFrom('solo', 'team', 'shared'), { minLength: 1 }), {
    nil: undefined,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(rowOf, { minLength: 1, maxLength: 8 }),
      principalOf,
      modes,
      scopes,
      async (rows, principal, mode, named) => {
        const ids = await replaceAll(rows);
        const reach = reachOf(mode, named, principal);
        const expected = ids.filter((_, i) => {
          const row = rows[i] as Row;
          if (!maySeeMemory(principal, row).allowed) return false;
          const of_mode = mode.mode === 'solo' || row.team_id === mode.context_id;
          if (named) return named.includes(row.scope) && (row.scope !== 'team' || of_mode);
          if (mode.mode === 'solo') return row.user_id === principal.user_id;
          return row.scope === 'shared' || (row.scope === 'team' && of_mode);
        });
        expect(await idsOf((eb) => seen(eb, { reach }, principal))).toEqual(expected);
      },
    ),
    { numRuns: 150 },
  );
});
