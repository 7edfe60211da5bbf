// Text forms of agents, their tasks and messages. Names and texts come from the store and are marked as such.
import type { TextPart } from '../../kernel/operation.ts';
import type { AgentTask } from './deps.ts';
import type { ShownMessage } from './schema.ts';

export function stored(lines: readonly string[]): TextPart[] {
  return lines.length > 0 ? [{ kind: 'stored', text: lines.join('\n') }] : [];
}

export function agentTaskLine({ task_id, title, status, priority, fencing_token }: AgentTask): string {
  const token = fencing_token === null ? '' : `, fencing_token ${fencing_token}`;
  return `${task_id} [${status}, ${priority}${token}] ${title}`;
}

export function messageLines(message: ShownMessage): string {
  const { message_id, kind, from_agent_id, from_user_id, created_at, deliveries, body } = message;
  const about = [
    message.severity,
    message.reply_to && `answers ${message.reply_to}`,
    message.task_id && `task ${message.task_id}`,
    message.memory_id && `memory ${message.memory_id}`,
    deliveries > 1 && `handed out ${deliveries} times`,
  ].filter((part) => typeof part === 'string');
  const facts = about.length > 0 ? ` (${about.join(', ')})` : '';
  return `${message_id} ${kind} from ${from_agent_id} (${from_user_id}) ${created_at}${facts}\n${body}`;
}
