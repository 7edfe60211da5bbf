// The SQL of seeing and changing work says what the policy says, for any rows and anybody, on either engine.
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTemporaryDatabase } from '../../../test/support/temporary-database.ts';
import { type Principal, TEAM_CAPABILITIES, TEAM_ROLES } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import {
  type CapabilityOverrides,
  capabilitiesOf,
  changeablePlaces,
  changeableWork,
  mayChangeWork,
  mayManageWork,
  maySeeWork,
  visibleWork,
  type WorkFacts,
} from './index.ts';

const user = fc.constantFrom('ada', 'bob', 'eve');
const team = fc.constantFrom('t1', 't2');
const rowOf: fc.Arbitrary<WorkFacts> = fc.record({
  scope: fc.constantFrom('solo', 'team', 'shared'),
  user_id: user,
  team_id: fc.option(team),
});
const overrides = fc.dictionary(
  fc.constantFrom(...TEAM_CAPABILITIES),
  fc.boolean(),
) as fc.Arbitrary<CapabilityOverrides>;
const membership = fc
  .record({ team_id: team, role: fc.constantFrom(...TEAM_ROLES), overrides })
  .map(({ team_id, role, overrides: own }) => ({
    team_id,
    team_name: team_id,
    role,
    capabilities: capabilitiesOf(role, own),
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
beforeAll(async () => {
  database = await openTemporaryDatabase({});
});
afterAll(() => database.close());

/** The rows as a table of the query itself. */
function tableOf(rows: readonly WorkFacts[]) {
  const values = rows.map(
    (row, i) =>
      sql`select ${sql.lit(i)} as place, ${sql.lit(row.scope)} as scope, ${sql.lit(row.user_id)} as user_id, ${row.team_id === null ? sql`cast(null as text)` : sql.lit(row.team_id)} as team_id`,
  );
  return sql`(${sql.join(values, sql` union all `)})`;
}

const changeableAnywhere = (principal: Principal, table: string) =>
  sql`(${sql.join(changeablePlaces(principal, table), sql` or `)})`;

test('rows that are listed are those the policy allows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(rowOf, { minLength: 1, maxLength: 30 }), principalOf, async (rows, principal) => {
      for (const [condition, rule] of [
        [visibleWork, maySeeWork],
        [changeableWork, mayChangeWork],
        [changeableAnywhere, mayChangeWork],
      ] as const) {
        const { rows: found } = await sql<{ place: number }>`
          select place from ${tableOf(rows)} as work where ${condition(principal, 'work')} order by place`.execute(
          database.db,
        );
        expect(found.map(({ place }) => Number(place))).toEqual(
          rows.flatMap((row, i) => (rule(principal, row).allowed ? [i] : [])),
        );
      }
    }),
    { numRuns: 200 },
  );
});

test('who may manage may change, and who may change may see', () => {
  fc.assert(
    fc.property(rowOf, principalOf, (row, principal) => {
      const [see, change, manage] = [maySeeWork, mayChangeWork, mayManageWork].map((rule) => rule(principal, row));
      if (manage?.allowed) expect(change?.allowed).toBe(true);
      if (change?.allowed) expect(see?.allowed).toBe(true);
      // What may not be seen is not even refused.
      for (const decision of [change, manage])
        if (!see?.allowed) expect(decision).toMatchObject({ allowed: false, visible: false });
    }),
  );
});
