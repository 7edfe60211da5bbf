// Files of project backups over HTTP: one goes out as it lies there, one comes in and is checked before it counts.
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { limits } from '../../kernel/limits.ts';
import type { Runtime } from '../runtime.ts';
import { bodyPieces } from './body-watch.ts';
import { API_PREFIX, contextOf } from './rest.ts';

export const BACKUP_FILES_PATH = `${API_PREFIX}/project-backups/files`;
export const BACKUP_TYPE = 'application/octet-stream';

export function registerProjectFiles(app: FastifyInstance, runtime: Runtime): void {
  app.register(async (scope) => {
    // In this scope bodies stay streams.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(BACKUP_TYPE, (_request, payload, done) => done(null, payload));
    const bodyLimit = limits.project_backup_file_max_bytes;
    scope.post(BACKUP_FILES_PATH, { bodyLimit }, (request, reply) => takeIn(runtime, request, reply));
  });
  app.get(`${BACKUP_FILES_PATH}/:backup_id`, (request, reply) => takeOut(runtime, request, reply));
}

async function takeIn(runtime: Runtime, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { principal } = contextOf(runtime, request, reply);
  const pieces = bodyPieces(request.raw, limits.project_backup_file_max_bytes);
  return reply.status(201).send(await runtime.backupFiles.takeIn(principal, pieces));
}

async function takeOut(runtime: Runtime, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { principal } = contextOf(runtime, request, reply);
  const { backup_id } = request.params as { readonly backup_id: string };
  const { bytes, pieces } = await runtime.backupFiles.takeOut(principal, backup_id);
  return reply.header('content-type', BACKUP_TYPE).header('content-length', bytes).send(Readable.from(pieces));
}
