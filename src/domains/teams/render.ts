// Text forms of teams. Names, descriptions and ids of people come from the store and are marked as such.
import type { TextPart } from '../../kernel/operation.ts';
import type { listActivity } from './activity.ts';

type Activity = Awaited<ReturnType<typeof listActivity>>[number];

export function stored(lines: readonly string[]): TextPart[] {
  return lines.length > 0 ? [{ kind: 'stored', text: lines.join('\n') }] : [];
}

export function activityLine({ at, action, user_id, agent_id, machine_id, target_user_id, details }: Activity): string {
  const facts = Object.entries(details).flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]));
  const whom = target_user_id === null || target_user_id === user_id ? '' : ` ${target_user_id}`;
  return `${at} ${action}${whom} by ${user_id} (${agent_id}, ${machine_id})${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`;
}

export function until(expires_at: string | null): string {
  return expires_at === null ? '' : ` until ${expires_at}`;
}
