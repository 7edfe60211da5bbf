// Calls operations of a hub over REST, under their tool names.
import type { Ask } from './ledger.ts';

const ROUTES: Readonly<Record<string, readonly [method: string, path: string]>> = {
  store_memory: ['POST', '/memories'],
  update_memory: ['PATCH', '/memories/{memory_id}'],
  delete_memory: ['DELETE', '/memories/{memory_id}'],
  retrieve_memory: ['GET', '/memories/{memory_id}'],
};

/** Requests that fail because nobody answers reject with fetch's TypeError. */
export function restAsk(url: string): Ask {
  return async (tool, input) => {
    const [method, template] = ROUTES[tool] ?? [];
    if (!method || !template) throw new Error(`no REST route known for ${tool}`);
    const { memory_id, ...rest } = input;
    const path = template.replace('{memory_id}', String(memory_id));
    const body = method === 'POST' || method === 'PATCH' ? JSON.stringify(path === template ? input : rest) : undefined;
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
    const output = (await answer.json()) as Record<string, unknown>;
    if (!answer.ok) throw new Error(`${tool}: ${JSON.stringify(output)}`);
    return output;
  };
}

/** True for a request whose connection was refused or cut. */
export function isCut(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Error && error.name === 'SyntaxError');
}
