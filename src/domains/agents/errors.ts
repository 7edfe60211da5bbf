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

export function agentMachineFixed(machine_id: string): HaivemindError {
  return failure(
    'forbidden',
    `This credential is for agents on ${machine_id}.`,
    'Leave machine out, or use a credential that names no machine.',
  );
}

/** The agent a credential names is registered, and not by its user. */
export function agentNameTaken(agent_id: string): HaivemindError {
  return failure(
    'conflict',
    `The agent ${agent_id} that this credential names cannot be registered by you.`,
    'Ask whoever made the credential for one with another agent.',
  );
}

export function tooManyAgents(): HaivemindError {
  return failure(
    'limit_exceeded',
    `You have ${limits.agents_per_user_max_count} agents registered: no more fit.`,
    'Register with a role that one of them has: the same role on the same machine is the same agent.',
  );
}

export function inboxNotFound(agent_id: string): HaivemindError {
  return failure('not_found', `You have no inbox ${agent_id}.`, 'Leave agent_id out: check_inbox is about your own.', {
    details: { agent_id },
  });
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

export function lacksCapabilities(
  agent_id: string,
  missing: readonly string[],
  has: readonly string[],
): HaivemindError {
  const can = has.length > 0 ? `It has ${has.join(', ')}.` : 'It has no capabilities.';
  return failure(
    'invalid_input',
    `${agent_id} lacks ${missing.join(', ')}.`,
    `${can} Name another agent, or leave agent_id or required_capabilities out.`,
    { details: { agent_id, missing: [...missing], has: [...has] } },
  );
}
