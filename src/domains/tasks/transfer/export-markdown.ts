// A board as Markdown that people read: stories in sequence, their tickets with stage labels below them.
import type { PlanRow } from '../sequence/types.ts';
import type { Item } from './item.ts';
import { BOX, escaped } from './markdown-words.ts';

export interface MarkdownTask {
  readonly item: Item;
  /** Where it comes in the plan. */
  readonly plan: Pick<PlanRow, 'label' | 'critical' | 'story_id' | 'task_id'> | undefined;
}

/** Tasks in the order of the plan. The notation is that of imports: the text can be edited and imported again. */
export function boardMarkdown(title: string, tasks: readonly MarkdownTask[]): string {
  const names = new Set(tasks.map(({ item }) => item.external_id));
  const byParent = Map.groupBy(tasks, ({ item }) =>
    item.parent !== null && names.has(item.parent) ? item.parent : '',
  );
  const top = byParent.get('') ?? [];
  const isStory = ({ item }: MarkdownTask) => (byParent.get(item.external_id)?.length ?? 0) > 0;
  const lines = [`# ${oneLine(title)}`, ''];
  for (const story of top.filter(isStory)) {
    lines.push(`## [${BOX[story.item.status]}] ${lineOf(story)}`, '', ...quoted(story.item.description, ''));
    for (const part of byParent.get(story.item.external_id) ?? []) pushItem(lines, part, byParent, '');
    lines.push('');
  }
  const alone = top.filter((task) => !isStory(task));
  if (alone.length > 0) lines.push('## Tasks', '');
  for (const task of alone) pushItem(lines, task, byParent, '');
  return `${lines.join('\n').trimEnd()}\n`;
}

function pushItem(
  lines: string[],
  task: MarkdownTask,
  byParent: ReadonlyMap<string, readonly MarkdownTask[]>,
  indent: string,
): void {
  lines.push(`${indent}- [${BOX[task.item.status]}] ${lineOf(task)}`);
  lines.push(...quoted(task.item.description, `${indent}  `));
  for (const part of byParent.get(task.item.external_id) ?? []) pushItem(lines, part, byParent, `${indent}  `);
}

function lineOf({ item, plan }: MarkdownTask): string {
  const label = plan === undefined || plan.label === '' ? [] : [`**${plan.label}${plan.critical ? '*' : ''}**`];
  const words = [
    ...label,
    escaped(oneLine(item.title)),
    ...(item.priority === 'medium' ? [] : [`!${item.priority}`]),
    ...item.tags.map((tag) => `#${tag.replaceAll(/\s+/g, '-')}`),
    ...item.required_capabilities.map((capability) => `needs:${capability.replaceAll(/\s+/g, '-')}`),
    ...(item.assignee === null ? [] : [`@${item.assignee}`]),
    ...(item.due === null ? [] : [`due:${item.due.endsWith('T00:00:00.000Z') ? item.due.slice(0, 10) : item.due}`]),
    ...(item.estimate_minutes === null ? [] : [`est:${item.estimate_minutes}m`]),
    ...(item.depends_on.length === 0 ? [] : [`after:${item.depends_on.join(',')}`]),
    // Not shown where Markdown is rendered.
    `<!-- ${item.external_id} -->`,
  ];
  return words.join(' ');
}

/** A description below its item; what would be read as an item or a heading of the board is moved out of the way. */
function quoted(description: string, indent: string): string[] {
  if (description === '') return [];
  const lines = description.split(/\r?\n/).map((line) => {
    const safe = /^\s*([-*+]|\d+[.)])\s+\[.\]|^#{1,6}\s|^\s*(```|~~~)/.test(line) ? `\\${line}` : line;
    return line.trim() === '' ? '' : `${indent}${safe}`;
  });
  return [...lines, ...(indent === '' ? [''] : [])];
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
