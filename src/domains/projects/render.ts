// Text forms of projects. Everything that somebody wrote comes from the store and is marked as such.
import type { TextPart } from '../../kernel/operation.ts';
import type { Project } from './schema.ts';

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
