// Bulk movement over HTTP: an import answers with its progress while it reads, an export streams.
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { failure, toErrorBody } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { personalData } from '../personal-data.ts';
import type { Runtime } from '../runtime.ts';
import { sendProblem } from './app.ts';
import { bodyPieces, tooLarge } from './body-watch.ts';
import { coerceQuery, type Query } from './coerce.ts';
import { headersOf, roomToWrite } from './event-stream.ts';
import { API_PREFIX, contextOf } from './rest.ts';

const name = z.string().min(1).max(limits.name_length_max_chars);

const importQuery = z.strictObject({
  format: name.optional().describe('Format of the material; found out by itself where unsaid.'),
  project: name.optional().describe('Project the memories belong to.'),
  scope: z.enum(['solo', 'team', 'shared']).optional().describe('Who sees them.'),
  team_id: z
    .string()
    .min(1)
    .max(limits.id_length_max_chars)
    .optional()
    .describe('Team they go to, with scope team; default: the team of each record.'),
  tags: z
    .array(z.string().max(limits.tag_length_max_chars))
    .max(limits.tags_max_count)
    .optional()
    .describe('Tags added to each.'),
  file_name: name.optional().describe('Name of the file, shown in problems.'),
});

const exportQuery = z.strictObject({
  format: z.enum(['jsonl', 'markdown']).default('jsonl').describe('How memories are written.'),
  project: name.optional().describe('Only this project.'),
  category: name.optional().describe('Only this category.'),
  include_deleted: z.boolean().default(false).describe('Also what lies in the recycle bin.'),
});

const personalDataQuery = z.strictObject({
  user_id: z.string().min(1).max(limits.id_length_max_chars).describe('Whose data.'),
  format: z.enum(['json', 'csv', 'markdown']).default('json').describe('Form of the document.'),
});

export const TRANSFER_QUERIES = { import: importQuery, export: exportQuery, personal_data: personalDataQuery } as const;

/** Types a page of another origin cannot send without asking the server first. */
export const IMPORT_TYPES = [
  'application/json',
  'application/jsonl',
  'application/x-ndjson',
  'application/x-jsonlines',
  'application/octet-stream',
  'application/zip',
  'text/markdown',
];

export function registerTransfers(app: FastifyInstance, runtime: Runtime): void {
  app.register(async (scope) => {
    // In this scope bodies stay streams.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(IMPORT_TYPES, (_request, payload, done) => done(null, payload));
    scope.post(`${API_PREFIX}/import`, { bodyLimit: limits.import_body_max_bytes }, (request, reply) =>
      importMaterial(runtime, request, reply),
    );
  });
  app.get(`${API_PREFIX}/export`, (request, reply) => exportMemories(runtime, request, reply));
  app.get(`${API_PREFIX}/privacy/export`, (request, reply) => exportPersonalData(runtime, request, reply));
}

async function importMaterial(runtime: Runtime, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (Number(request.headers['content-length'] ?? 0) > limits.import_body_max_bytes) {
    reply.header('connection', 'close');
    const { code, message, hint } = tooLarge(limits.import_body_max_bytes);
    sendProblem(request, reply, { code, message, hint }, 413);
    return;
  }
  const options = readQuery(importQuery, request);
  const ctx = contextOf(runtime, request, reply);
  // Now, while a refusal can still be the answer's status.
  await runtime.transfers.assertImport(ctx.principal, defined(options));
  const source = bodyPieces(request.raw, limits.import_body_max_bytes);
  const events = runtime.transfers.importFrom(source, ctx.principal, { ...defined(options), signal: ctx.signal });
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { ...headersOf(reply), 'content-type': 'application/x-ndjson; charset=utf-8' });
  try {
    for await (const event of events) await writeLine(reply, event);
    raw.end();
  } catch (error) {
    const body = toErrorBody(error);
    if (body.code === 'internal') logInternal(runtime, ctx, error);
    await writeLine(reply, { type: 'error', ...body });
    // What was not read of the body would be taken for the next request.
    raw.end(() => request.raw.destroy());
  }
}

async function writeLine(reply: FastifyReply, value: unknown): Promise<void> {
  if (reply.raw.destroyed) return;
  reply.raw.write(`${JSON.stringify(value)}\n`);
  await roomToWrite(reply);
}

async function exportMemories(runtime: Runtime, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const options = readQuery(exportQuery, request);
  const ctx = contextOf(runtime, request, reply);
  await runtime.authorise(ctx.principal, 'memory.read', 'export');
  const pieces = runtime.transfers.exportTo(ctx.principal, {
    ...defined(options),
    format: options.format,
    signal: ctx.signal,
  });
  const type = options.format === 'jsonl' ? 'application/x-ndjson' : 'text/markdown';
  return reply.header('content-type', `${type}; charset=utf-8`).send(Readable.from(pieces));
}

const PERSONAL_DATA_TYPES = { json: 'application/json', csv: 'text/csv', markdown: 'text/markdown' } as const;

async function exportPersonalData(
  runtime: Runtime,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const options = readQuery(personalDataQuery, request);
  const ctx = contextOf(runtime, request, reply);
  const call = async (operation: string, input: unknown) =>
    (await runtime.executor.execute(operation, input, ctx)).output;
  const pieces = personalData(call, options);
  // Now, while a refusal can still be the answer's status.
  const first = await pieces.next();
  async function* whole(): AsyncGenerator<string> {
    if (!first.done) yield first.value;
    yield* pieces;
  }
  return reply
    .header('content-type', `${PERSONAL_DATA_TYPES[options.format]}; charset=utf-8`)
    .send(Readable.from(whole()));
}

function readQuery<Out>(schema: z.ZodType<Out>, request: FastifyRequest): Out {
  const json = z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown>;
  const result = schema.safeParse(coerceQuery(request.query as Query, json));
  if (result.success) return result.data;
  const first = result.error.issues[0];
  throw failure(
    'invalid_input',
    `${first?.path.join('.') || 'query'}: ${first?.message ?? 'is not valid'}`,
    'See /openapi.json.',
  );
}

/** Options without the fields nobody gave. */
function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function logInternal(runtime: Runtime, ctx: OperationContext, error: unknown): void {
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  runtime.log.error({ request_id: ctx.request_id, error: shown }, 'An import failed unexpectedly.');
}
