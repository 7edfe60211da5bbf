// Any sequence of membership changes, compared with a model that says in a few lines what has to come of it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type App, openApp } from '../../../test/support/open-app.ts';
import { TEAM_ROLES, type TeamRole } from '../../kernel/operation.ts';

const USERS = ['ada', 'ann', 'max', 'ron'];
const SECOND_MS = 1_000;
/** A server takes longer for each call, and the rules are the same. */
const RUNS_COUNT = process.env.HAIVEMIND_TEST_ENGINE === 'postgres' ? 8 : 40;

interface Member {
  readonly role: TeamRole;
  /** Milliseconds since the epoch; infinite: until removed. */
  readonly ends_ms: number;
}

type Step =
  | {
      readonly do: 'add';
      readonly by: string;
      readonly user: string;
      readonly role: TeamRole;
      readonly ends_in?: number;
    }
  | { readonly do: 'remove'; readonly by: string; readonly user: string }
  | { readonly do: 'wait'; readonly seconds: number };

const user = fc.constantFrom(...USERS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({
        do: fc.constant('add' as const),
        by: user,
        user,
        role: fc.constantFrom(...TEAM_ROLES),
        ends_in: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
      })
      .map(({ ends_in, ...rest }) => (ends_in === undefined ? rest : { ...rest, ends_in })),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), by: user, user }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 3 }) }) },
);

/** What the rules say: without capability overrides only owners and admins change anything, and admins no owners. */
function expected(members: Map<string, Member>, now_ms: number, move: Exclude<Step, { do: 'wait' }>): string {
  const alive = (name: string) => {
    const member = members.get(name);
    return member && member.ends_ms > now_ms ? member : undefined;
  };
  const by = alive(move.by);
  const target = alive(move.user);
  const owners = USERS.filter((name) => alive(name)?.role === 'owner').length;
  if (!by) return 'not_found';
  const manages = by.role === 'owner' || by.role === 'admin';
  if (move.do === 'remove') {
    if (move.by !== move.user && !manages) return 'forbidden';
    if (move.by !== move.user && target?.role === 'owner' && by.role !== 'owner') return 'forbidden';
    if (!target) return 'not_found';
    if (target.role === 'owner' && owners === 1) return 'conflict';
    members.delete(move.user);
    return 'ok';
  }
  if (!manages) return 'forbidden';
  const given_ms = move.ends_in === undefined ? undefined : now_ms + move.ends_in * SECOND_MS;
  if (given_ms !== undefined && (given_ms <= now_ms || move.role === 'owner')) return 'invalid_input';
  const ends_ms =
    move.role === 'owner' ? Number.POSITIVE_INFINITY : (given_ms ?? target?.ends_ms ?? Number.POSITIVE_INFINITY);
  if (move.role === 'guest' && ends_ms === Number.POSITIVE_INFINITY) return 'invalid_input';
  if (target && target.role === move.role && target.ends_ms === ends_ms) return 'ok';
  if (by.role !== 'owner' && (move.by === move.user || move.role === 'owner' || target?.role === 'owner'))
    return 'forbidden';
  if (target?.role === 'owner' && move.role !== 'owner' && owners === 1) return 'conflict';
  members.set(move.user, { role: move.role, ends_ms });
  return 'ok';
}

async function run(app: App, team_id: string, move: Exclude<Step, { do: 'wait' }>): Promise<string> {
  const { by, user: user_id } = move;
  const call =
    move.do === 'remove'
      ? app.call('remove_team_member', { team_id, user_id }, { user: by })
      : app.call(
          'add_team_member',
          {
            team_id,
            user_id,
            role: move.role,
            ...(move.ends_in === undefined
              ? {}
              : { expires_at: new Date(app.clock.now() + move.ends_in * SECOND_MS).toISOString() }),
          },
          { user: by },
        );
  return call.then(
    () => 'ok',
    (error: { code: string }) => error.code,
  );
}

test('whatever is done to a team, it has an owner, and only those who may have changed it', async () => {
  await using app = await openApp();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const { team_id } = await app.call('create_team', { name: 'Model' }, { user: 'ada' });
      const members = new Map<string, Member>([['ada', { role: 'owner', ends_ms: Number.POSITIVE_INFINITY }]]);
      for (const move of steps) {
        if (move.do === 'wait') app.clock.advance(move.seconds * SECOND_MS);
        else {
          const wanted = expected(members, app.clock.now(), move);
          expect(await run(app, team_id, move)).toBe(wanted);
        }
        const alive = [...members].filter(([, member]) => member.ends_ms > app.clock.now());
        const owner = alive.find(([, member]) => member.role === 'owner')?.[0];
        expect(owner).toBeDefined();
        const seen = await app.call('get_team', { team_id, include_members: true }, { user: owner ?? '' });
        const found = seen.members.map((member: { user_id: string; role: string }) => [member.user_id, member.role]);
        expect(found.toSorted()).toEqual(alive.map(([name, { role }]) => [name, role]).toSorted());
      }
      // Teams of earlier runs must not count against the one who made them.
      await app.call('add_team_member', { team_id, user_id: 'keeper', role: 'owner' }, { user: ownerOf(members) });
      for (const name of members.keys())
        await app.call('remove_team_member', { team_id, user_id: name }, { user: name }).catch(() => undefined);
    }),
    { numRuns: RUNS_COUNT },
  );
});

function ownerOf(members: ReadonlyMap<string, Member>): string {
  return [...members].find(([, { role }]) => role === 'owner')?.[0] ?? '';
}
