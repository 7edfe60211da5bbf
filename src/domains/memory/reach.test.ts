// Where lists and searches look in each mode, with and without scopes.
import { expect, test } from 'vitest';
import type { ModeContext } from '../../kernel/operation.ts';
import type { Reach } from './filters.ts';
import { reachOf } from './reach.ts';
import type { Scope } from './schema.ts';

const ADA = { user_id: 'ada', agent_id: 'a', machine_id: 'm' };
const SOLO: ModeContext = { mode: 'solo', context_id: null };
const VAULT: ModeContext = { mode: 'vault', context_id: 'vlt_1' };
const TEAM: ModeContext = { mode: 'team', context_id: 'team_1' };
const OWN = { user_id: 'ada' };
const SHARED = { scope: 'shared' } as const;
const PRIVATE = { scope: 'solo', user_id: 'ada' } as const;
const TEAM_1 = { scope: 'team', team_id: 'team_1' } as const;
const ANY_TEAM = { scope: 'team' } as const;

test.each<[string, ModeContext, Scope[] | undefined, Reach]>([
  ['solo', SOLO, undefined, [OWN]],
  ['vault', VAULT, undefined, [OWN]],
  ['team', TEAM, undefined, [TEAM_1, SHARED]],
  ['solo, no scope named', SOLO, [], [OWN]],
  ['solo, shared', SOLO, ['shared'], [SHARED]],
  ['solo, solo', SOLO, ['solo'], [PRIVATE]],
  ['solo, team', SOLO, ['team'], [ANY_TEAM]],
  ['vault, all', VAULT, ['solo', 'team', 'shared'], [PRIVATE, ANY_TEAM, SHARED]],
  ['team, solo', TEAM, ['solo'], [PRIVATE]],
  ['team, team', TEAM, ['team'], [TEAM_1]],
  ['team, solo and team twice', TEAM, ['solo', 'team', 'team'], [PRIVATE, TEAM_1]],
])('%s', (_what, mode, scopes, reach) => {
  expect(reachOf(mode, scopes, ADA)).toEqual(reach);
});
