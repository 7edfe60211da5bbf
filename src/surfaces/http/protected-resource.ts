// The hub as an OAuth protected resource (RFC 9728): where tokens come from, and the keys that verify its own.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PERMISSIONS } from '../../kernel/operation.ts';
import type { Identities } from '../runtime.ts';
import type { Refusal } from './guards.ts';

const METADATA = '/.well-known/oauth-protected-resource';
const JWKS = '/.well-known/jwks.json';
/** Resources by path; the metadata of each stands below METADATA. */
const RESOURCES = ['mcp', 'sse'] as const;

/** How to become known, which has to be open to everybody. */
export const WELL_KNOWN_PATHS: readonly string[] = [METADATA, ...RESOURCES.map((name) => `${METADATA}/${name}`), JWKS];

export function registerProtectedResource(app: FastifyInstance, identities: Identities): void {
  const metadata = (name: (typeof RESOURCES)[number]) => async (request: FastifyRequest, reply: FastifyReply) =>
    sendJson(reply, metadataOf(identities, baseUrl(identities, request), name));
  app.get(METADATA, metadata('mcp'));
  for (const name of RESOURCES) app.get(`${METADATA}/${name}`, metadata(name));
  app.get(JWKS, async (_request, reply) => sendJson(reply, await identities.jwks()));
}

function metadataOf({ issuers }: Identities, base: string, name: string): Readonly<Record<string, unknown>> {
  return {
    resource: `${base}/${name}`,
    resource_name: 'hAIveMind',
    ...(issuers.length > 0 ? { authorization_servers: issuers } : {}),
    bearer_methods_supported: ['header'],
    scopes_supported: PERMISSIONS,
    jwks_uri: `${base}${JWKS}`,
  };
}

/** Without a slash at the end: the configured address, else the one asked by, which the guards let through. */
export function baseUrl({ public_url }: Pick<Identities, 'public_url'>, request: FastifyRequest): string {
  return public_url?.replace(/\/+$/, '') ?? `http://${request.headers.host}`;
}

/** Value of WWW-Authenticate (RFC 6750, RFC 9728). */
export function challengeOf({ challenge, body }: Refusal, base: string): string {
  const parameters = { realm: 'haivemind', resource_metadata: `${base}${METADATA}` };
  const error = challenge ? { error: challenge, error_description: body.message } : {};
  const pairs = Object.entries({ ...parameters, ...error }).map(([name, value]) => `${name}="${quotable(value)}"`);
  return `Bearer ${pairs.join(', ')}`;
}

/** What may stand in quotes in a header. */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/g, '');
}

function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(value));
}
