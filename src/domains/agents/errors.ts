// Errors of the agents domain.
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';

/** An agent that is absent or not visible: the two are not told apart. */
export function agentNotFound(agent_id: string): HaivemindError {
  return failure('not_found', `There is no agent ${agent_id}.`, 'get_agent_roster shows the agents you may see.', {
    details: { agent_id },
  });
}

export function noAgent(): HaivemindError {
  return failure(
    'conflict',
    'This session acts as no registered agent.',
    'Call register_agent with your role first; the same call again brings the same agent back.',
  );
}

export function messageNotFound(message_id: string): HaivemindError {
  return failure('not_found', `There is no message ${message_id} in your inbox.`, 'check_inbox shows your messages.', {
    details: { message_id },
  });
}

export function inboxFull(agent_id: string): HaivemindError {
  return failure(
    'limit_exceeded',
    `The inbox of ${agent_id} is full: ${limits.agent_inbox_max_count} messages wait there.`,
    'Try again when it has read some, or write to another agent; get_agent_roster shows who is there.',
    { details: { agent_id } },
  );
}
