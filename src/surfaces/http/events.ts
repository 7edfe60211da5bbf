// Server-sent events: what changes in the store, for programs that are no MCP client. A client that comes back says with
// Last-Event-ID where it was, as browsers' EventSource does by itself.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { Runtime, StoreEvent } from '../runtime.ts';
import { headersOf, keepStreamAlive, roomToWrite } from './event-stream.ts';
import { API_PREFIX, contextOf } from './rest.ts';

const KINDS = ['memory', 'task', 'agent', 'message', 'project'] as const;

const eventsQuery = z.strictObject({
  kinds: z
    .string()
    .transform((text) => text.split(',').map((kind) => kind.trim()))
    .pipe(z.array(z.enum(KINDS)).min(1))
    .optional(),
});

/** As the interface's description has it. */
export const EVENTS_DESCRIPTION = {
  operationId: 'events',
  tags: ['service'],
  summary: 'What changes, as server-sent events.',
  description:
    'Each event has an id; its name is the kind of record; its data is a JSON object with the record’s id and a few fields. A client that was away sends the last id it saw as Last-Event-ID and gets everything since, some of it perhaps again. Only what the caller may see is told.',
  parameters: [
    {
      name: 'kinds',
      in: 'query',
      required: false,
      description: `Comma-separated: ${KINDS.join(', ')}.`,
      schema: { type: 'string' },
    },
    {
      name: 'last-event-id',
      in: 'header',
      required: false,
      description: 'Id of the last event that was seen; absent: from now on.',
      schema: { type: 'string' },
    },
  ],
  responses: { 200: { description: 'A stream.', content: { 'text/event-stream': { schema: { type: 'string' } } } } },
} as const;

export interface EventStreams {
  /** Ends them all: clients come back, to whoever answers then, with the last id they saw. */
  close(): void;
}

export function registerEvents(app: FastifyInstance, runtime: Runtime): EventStreams {
  const open = new Map<string, number>();
  const streams = new Set<FastifyReply['raw']>();
  app.get(`${API_PREFIX}/events`, async (request, reply) => {
    const { kinds } = readQuery(request);
    const ctx = contextOf(runtime, request, reply);
    const { user_id } = ctx.principal;
    const count = open.get(user_id) ?? 0;
    if (count >= limits.event_streams_per_user_max_count) throw tooMany();
    open.set(user_id, count + 1);
    streams.add(reply.raw);
    reply.raw.once('close', () => {
      streams.delete(reply.raw);
      const left = (open.get(user_id) ?? 1) - 1;
      if (left > 0) open.set(user_id, left);
      else open.delete(user_id);
    });
    const filter = { after: lastEventId(request), kinds, signal: ctx.signal };
    await send(await runtime.followEvents(ctx.principal, filter), reply, runtime);
  });
  return {
    close() {
      for (const raw of streams) raw.end();
    },
  };
}

async function send(events: AsyncIterable<StoreEvent>, reply: FastifyReply, runtime: Runtime): Promise<void> {
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, { ...headersOf(reply), 'content-type': 'text/event-stream; charset=utf-8' });
  raw.write(': connected\n\n');
  keepStreamAlive(reply);
  try {
    for await (const { id, event, data } of events) {
      if (raw.writableEnded) break;
      raw.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      await roomToWrite(reply);
    }
  } catch (error) {
    // The client comes back with the id it saw last.
    runtime.log.warn({ err: error }, 'a stream of events ended');
  }
  raw.end();
}

function readQuery(request: FastifyRequest): z.output<typeof eventsQuery> {
  const result = eventsQuery.safeParse(request.query);
  if (result.success) return result.data;
  throw failure('invalid_input', 'The query is not valid.', `kinds is a comma-separated list of ${KINDS.join(', ')}.`);
}

function lastEventId(request: FastifyRequest): string | undefined {
  const id = request.headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

function tooMany() {
  return failure(
    'limit_exceeded',
    `You have ${limits.event_streams_per_user_max_count} streams of events open.`,
    'Close one; a stream can follow all kinds at once.',
  );
}
