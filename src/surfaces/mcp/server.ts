// One MCP server instance over a runtime. Cheap to make: transports without sessions make one per request.
import { CLIENT_INFO_META_KEY, ResourceNotFoundError, Server, type ServerContext } from '@modelcontextprotocol/server';
import { newId } from '../../kernel/ids.ts';
import type { OperationContext, Principal, Progress } from '../../kernel/operation.ts';
import type { Runtime } from '../runtime.ts';
import { type AnswerForm, answerFormFor } from './answer-form.ts';
import { type Attendance, attend } from './attendance.ts';
import { callTool, inForm, toolError } from './calls.ts';
import { catalogueOf } from './catalogue.ts';
import { completeArgument, getPrompt, listPrompts } from './prompts.ts';
import { asProtocolError } from './protocol-errors.ts';
import { listResources, RESOURCE_TEMPLATES, readResource } from './resources.ts';
import { principalOf, senderOf } from './sender.ts';
import { type Caller, type CallOrigin, type ClientInfo, resolveCaller, SESSION_META_KEY } from './sessions.ts';
import { createSubscriptions, resourceRefusal, type Subscriptions } from './subscriptions.ts';
import type { Toolsets } from './toolsets.ts';

export interface ServerSettings {
  /** Who is on the other side. */
  readonly origin: CallOrigin;
  readonly toolsets: Toolsets;
  /**
   * `legacy`: resources are announced that resources/subscribe named. `modern`: those that subscriptions/listen named,
   * which the transport notes in `subscriptions` and filters once more. `none`: the transport announces by itself.
   */
  readonly announce: 'legacy' | 'modern' | 'none';
  /** Of a session that other hubs serve too; without it they live as long as the instance. */
  readonly subscriptions?: Subscriptions;
  /** Who hears of changes at this moment; nobody where it is absent. The same object for as long as it is the same. */
  readonly reader?: () => Principal | undefined;
  /** Whether the client is there at this moment, also where it calls nothing; absent: that is not known. */
  readonly connected?: () => boolean;
  /** The origin's session was served before, elsewhere: while its client is connected it need not call to be there. */
  readonly resumed?: boolean;
}

/** How long a client may keep lists that only change with the server's version. */
const LIST_TTL_MS = 5 * 60 * 1000;

export function makeServer(runtime: Runtime, settings: ServerSettings): Server {
  const hint = { ttlMs: LIST_TTL_MS, cacheScope: 'private' as const };
  const server = new Server(
    { name: 'haivemind', title: 'hAIveMind', version: runtime.version },
    {
      instructions: runtime.instructions,
      capabilities: {
        tools: {},
        resources: { subscribe: true },
        prompts: {},
        completions: {},
        ...(settings.announce === 'legacy' ? { logging: {} } : {}),
      },
      cacheHints: {
        'tools/list': hint,
        'prompts/list': hint,
        'resources/templates/list': hint,
        'server/discover': hint,
      },
    },
  );
  const attendance = settings.connected && attend(runtime, settings.connected);
  if (attendance && settings.resumed) {
    const note = (): void =>
      attendance.note(resolveCaller(settings.origin, undefined, server.getClientVersion() ?? {}));
    note();
    server.oninitialized = note;
  }
  registerTools(server, runtime, settings, attendance);
  registerResources(server, runtime, settings);
  registerPrompts(server, runtime);
  const stopAnnouncing = announceChanges(server, runtime, settings);
  server.onclose = () => {
    attendance?.stop();
    stopAnnouncing();
  };
  return server;
}

function registerTools(
  server: Server,
  runtime: Runtime,
  settings: ServerSettings,
  attendance: Attendance | undefined,
): void {
  const catalogue = catalogueOf(runtime.executor);
  const formOf = (mcp: ServerContext): AnswerForm => answerFormFor(clientOf(server, mcp).name);
  server.setRequestHandler('tools/list', (_request, mcp) => ({
    tools: catalogue.list(settings.toolsets, formOf(mcp)),
  }));
  server.setRequestHandler('tools/call', async (request, mcp) => {
    const { name, arguments: input } = request.params;
    const call = { request_id: newId('req', Date.now()), signal: mcp.mcpReq.signal, reportProgress: progressOf(mcp) };
    let caller: Caller;
    try {
      caller = callerOf(server, settings, mcp);
    } catch (error) {
      // The name of the session was no name: the call cannot run, and says so as a tool error.
      const origin = resolveCaller({ ...originFor(settings, mcp), session_name: 'unnamed' }, undefined, {});
      return inForm(toolError(runtime, name, error, { ...call, ...origin }), formOf(mcp));
    }
    attendance?.note(caller);
    const ctx: OperationContext = { ...call, principal: caller.principal, session: caller.session };
    const result = await callTool(runtime, name, input, ctx);
    return { ...inForm(result, formOf(mcp)), _meta: { [SESSION_META_KEY]: caller.session_name } };
  });
}

function registerResources(server: Server, runtime: Runtime, settings: ServerSettings): void {
  server.setRequestHandler('resources/list', async (_request, mcp) => {
    try {
      return await listResources(runtime, callerOf(server, settings, mcp).principal);
    } catch (error) {
      throw asProtocolError(runtime, error);
    }
  });
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: RESOURCE_TEMPLATES }));
  server.setRequestHandler('resources/read', (request, mcp) =>
    readResource(runtime, request.params.uri, callerOf(server, settings, mcp)),
  );
}

function registerPrompts(server: Server, runtime: Runtime): void {
  server.setRequestHandler('prompts/list', () => ({ prompts: listPrompts() }));
  server.setRequestHandler('prompts/get', (request) => {
    try {
      return getPrompt(request.params.name, request.params.arguments);
    } catch (error) {
      throw asProtocolError(runtime, error);
    }
  });
  server.setRequestHandler('completion/complete', (request) => {
    const { ref, argument } = request.params;
    if (ref.type !== 'ref/prompt') return { completion: { values: [], total: 0, hasMore: false } };
    return completeArgument(ref.name, argument.name, argument.value);
  });
}

/** Hands changes of resources to the client for as long as the instance lives. Returns the way to stop. */
function announceChanges(server: Server, runtime: Runtime, settings: ServerSettings): () => void {
  if (settings.announce === 'none') return () => {};
  const subscriptions = settings.subscriptions ?? createSubscriptions();
  if (settings.announce === 'legacy') {
    server.setRequestHandler('resources/subscribe', async (request) => {
      await subscribe(runtime, subscriptions, request.params.uri);
      return {};
    });
    server.setRequestHandler('resources/unsubscribe', async (request) => {
      await within(runtime, subscriptions.remove(request.params.uri));
      return {};
    });
  }
  /** To subscribe tells nothing, and to hear of it one has to be allowed to read it now. */
  async function announce(uri: string): Promise<void> {
    const reader = settings.reader?.();
    if (!reader || !(await runtime.mayReadResource(uri, reader)) || settings.reader?.() !== reader) return;
    // A client that went away is noticed by the transport; the change itself is stored either way.
    await server.sendResourceUpdated({ uri }).catch(() => undefined);
  }
  return runtime.onResourceChanged((uri) => {
    if (subscriptions.has(uri)) void announce(uri);
  });
}

/** Refuses what no resource is named like: nobody would ever hear of it. */
async function subscribe(runtime: Runtime, subscriptions: Subscriptions, uri: string): Promise<void> {
  const refusal = resourceRefusal(runtime, [uri]);
  if (refusal) throw new ResourceNotFoundError(uri, `${refusal.message} ${refusal.hint}`);
  await within(runtime, subscriptions.add(uri));
}

/** The store may be away: that is said as every error of ours is. */
async function within(runtime: Runtime, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw asProtocolError(runtime, error);
  }
}

function callerOf(server: Server, settings: ServerSettings, mcp: ServerContext): Caller {
  return resolveCaller(originFor(settings, mcp), mcp.mcpReq._meta, clientOf(server, mcp));
}

/** A message's own credential decides, where its transport has one for each. */
function originFor({ origin }: ServerSettings, mcp: ServerContext): CallOrigin {
  const sender = senderOf(mcp);
  return sender ? { ...origin, principalFor: (agent) => principalOf(sender, agent) } : origin;
}

/** The client names itself in every request (2026-07-28) or once in the handshake (earlier revisions). */
function clientOf(server: Server, mcp: ServerContext): ClientInfo {
  const envelope: Readonly<Record<string, unknown>> | undefined = mcp.mcpReq.envelope;
  const named = envelope?.[CLIENT_INFO_META_KEY] as ClientInfo | undefined;
  return named ?? server.getClientVersion() ?? {};
}

/** Progress goes to the client only where it asked, and only forward, as MCP wants it. */
function progressOf(mcp: ServerContext): (progress: Progress) => void {
  const token = mcp.mcpReq._meta?.progressToken;
  if (token === undefined) return () => undefined;
  let last = Number.NEGATIVE_INFINITY;
  return ({ done, total, message }) => {
    if (done <= last) return;
    last = done;
    const params = {
      progressToken: token,
      progress: done,
      ...(total === undefined ? {} : { total }),
      ...(message === undefined ? {} : { message }),
    };
    // Progress is a courtesy: a client that no longer listens must not fail the call.
    mcp.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}
