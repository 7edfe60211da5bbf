// get_team_activity: what happened in a team, page by page.
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import { cursorField, limitField, nextCursorField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { assertAllowed, mayInTeam } from '../../access/index.ts';
import { listActivity } from '../activity.ts';
import type { TeamDeps } from '../deps.ts';
import { teamNotFound } from '../errors.ts';
import { activityLine, stored } from '../render.ts';
import { activitySchema, teamIdField } from '../schema.ts';

const HOUR_MS = 3_600_000;
const HOURS_MAX = limits.team_activity_retention_ms / HOUR_MS;

const input = z.strictObject({
  team_id: teamIdField,
  hours: z.number().positive().max(HOURS_MAX).default(24).describe(`How far back, at most ${HOURS_MAX}.`),
  limit: limitField(50),
  cursor: cursorField,
});

const output = z.object({ activity: activitySchema, next_cursor: nextCursorField });

export const getTeamActivity = defineOperation<TeamDeps, typeof input, typeof output>({
  name: 'get_team_activity',
  title: 'Team activity',
  description: 'Lists what happened in a team within the last hours, newest first, with who did it to whom.',
  toolset: 'teams',
  input,
  output,
  effects: READS,
  permission: 'team.read',
  rest: { method: 'GET', path: '/teams/{team_id}/activity' },
  cli: {
    group: 'team',
    verb: 'activity',
    positional: ['team_id'],
    table: { rows: 'activity', columns: ['at', 'action', 'user_id', 'target_user_id', 'agent_id'] },
  },
  examples: [{ title: 'The last day', input: { team_id: 'team_engineering_001', hours: 24, limit: 50 } }],
  async handle({ store }, { team_id, hours, limit, cursor }, { principal }) {
    assertAllowed(mayInTeam(principal, team_id, 'activity.read'), () => teamNotFound(team_id));
    const now_ms = store.clock.now();
    // All pages reach back to the same moment, that of the first.
    const [before, begun_ms] = cursor === undefined ? [] : (decodeCursor(cursor, 2) as [string, number]);
    const since_ms = Math.max(begun_ms ?? now_ms - hours * HOUR_MS, now_ms - limits.team_activity_retention_ms, 0);
    const rows = await listActivity(store, team_id, { since_ms, before, limit: limit + 1 });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return { activity: page, next_cursor: last ? encodeCursor([last.activity_id, Math.floor(since_ms)]) : null };
  },
  text(out) {
    const more = out.next_cursor === null ? '' : ` More with cursor=${out.next_cursor}`;
    return [
      { kind: 'text', text: `Activities: ${out.activity.length}.${more}` },
      ...stored(out.activity.map(activityLine)),
    ];
  },
});
