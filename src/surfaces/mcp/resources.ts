// Resources a model reads by URI, and who wants to hear of their changes.
import {
  type ListResourcesResult,
  type ReadResourceResult,
  ResourceNotFoundError,
  type ResourceTemplateType,
} from '@modelcontextprotocol/server';
import { toErrorBody } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { Runtime } from '../runtime.ts';
import { renderParts } from './fence.ts';
import { asProtocolError } from './protocol-errors.ts';
import type { Caller } from './sessions.ts';

export const RESOURCE_TEMPLATES: ResourceTemplateType[] = [
  {
    uriTemplate: 'haivemind://memory/{memory_id}',
    name: 'memory',
    title: 'Memory',
    description: 'One memory with its context, tags and history, by its memory_id.',
  },
  {
    uriTemplate: 'haivemind://tasks/{task_id}',
    name: 'task',
    title: 'Task',
    description: 'One task with its dependencies, history and what is known about it.',
  },
  {
    uriTemplate: 'haivemind://projects/{project_id}',
    name: 'project',
    title: 'Project',
    description: 'One project.',
  },
  {
    uriTemplate: 'haivemind://agents/{agent_id}/inbox',
    name: 'inbox',
    title: 'Inbox',
    description: 'Messages to an agent, for the session that acts as it.',
  },
];

/** Resources offered for picking; what there is beyond them is reached through the templates. */
export async function listResources(runtime: Runtime, principal: Principal): Promise<ListResourcesResult> {
  const listed = (await runtime.listResources?.(principal)) ?? [];
  return {
    resources: listed.map((entry) => ({
      uri: entry.uri,
      name: entry.name,
      ...(entry.description === undefined ? {} : { description: entry.description }),
    })),
  };
}

/** Reads one resource; its text is stored text and comes fenced. Failures are protocol errors, as MCP has them. */
export async function readResource(
  runtime: Runtime,
  uri: string,
  { principal, session }: Pick<Caller, 'principal' | 'session'>,
): Promise<ReadResourceResult> {
  try {
    const content = await runtime.readResource(uri, principal, session);
    const text = renderParts([{ kind: 'stored', text: content.text }]);
    // Inside a fence JSON is no JSON any more.
    const mimeType = content.mime_type === 'application/json' ? 'text/plain' : content.mime_type;
    return { contents: [{ uri: content.uri, mimeType, text }] };
  } catch (error) {
    const body = toErrorBody(error);
    if (body.code === 'not_found') throw new ResourceNotFoundError(uri, `${body.message} ${body.hint}`);
    throw asProtocolError(runtime, error);
  }
}
