// Text forms of projects. Everything that somebody wrote comes from the store and is marked as such.
import type { TextPart } from '../../kernel/operation.ts';
import type { Health, Project, ShownBrief } from './schema.ts';

export function stored(lines: readonly string[]): TextPart[] {
  return lines.length > 0 ? [{ kind: 'stored', text: lines.join('\n') }] : [];
}

type Shown = Pick<Project, 'project_id' | 'name' | 'status' | 'priority' | 'project_type' | 'owner_agent_id' | 'tags'>;

export function projectLine(project: Shown): string {
  const { project_id, name, status, priority, project_type, owner_agent_id, tags } = project;
  const owner = owner_agent_id === null ? '' : `, owner ${owner_agent_id}`;
  const labels = tags.length > 0 ? ` [${tags.join(', ')}]` : '';
  return `${project_id} ${name}: ${status}, ${priority}, ${project_type}${owner}${labels}`;
}

const SECTION_TITLES: Readonly<Record<string, string>> = {
  your_tasks: 'Your tasks',
  ready_tasks: 'Ready to be claimed',
  blocked_tasks: 'Blocked or waiting',
  other_tasks: 'Other open tasks',
  decisions: 'Decisions',
  incidents: 'Incidents',
  drift: 'Drift',
  related: 'What is known',
  activity: 'Recent activity',
};

/** Section by section; the lines themselves are stored text. */
export function briefText({ sections }: ShownBrief): TextPart[] {
  return sections.flatMap(({ name, note, items, left_out }): TextPart[] => {
    const more = left_out > 0 ? ` (${left_out} more not shown)` : '';
    const head = `${SECTION_TITLES[name] ?? name}${more}:${note === null ? '' : ` ${note}`}`;
    return [{ kind: 'text', text: head }, ...stored(items.map(({ ref, text }) => `${ref} ${text}`))];
  });
}

export function healthText({ score, dimensions, trend, name, project_id }: Health): TextPart[] {
  const changes = new Map(trend.changes.map((each) => [each.name, each.change]));
  const lines = dimensions.map((each) => {
    const change = changes.get(each.name) ?? 0;
    const moved = change === 0 ? '' : ` (${change > 0 ? '+' : ''}${change})`;
    const counts = each.evidence.map(({ what, count }) => `${what} ${count}`).join(', ');
    const advice = each.recommendation === null ? '' : ` ${each.recommendation}`;
    return `${each.name}: ${each.score ?? 'not measured'}${moved}${counts === '' ? '' : `; ${counts}.`}${advice}`;
  });
  const [last] = trend.checks;
  const before = last ? ` The check of ${last.at} said ${last.score}.` : '';
  return [
    { kind: 'text', text: `Health of ${project_id}: ${score ?? 'not measured'} of 100.${before}` },
    ...stored([name]),
    { kind: 'text', text: lines.join('\n') },
  ];
}
