// Projects over HTTP: at their own path, and at the one that scripts written for earlier systems call.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatOperations } from '../src/domains/format/index.ts';
import { projectOperations } from '../src/domains/projects/index.ts';
import { bindOperation } from '../src/kernel/operation.ts';
import { buildOpenApi } from '../src/surfaces/http/openapi.ts';
import { type HttpServer, startHttp } from '../src/surfaces/http/server.ts';
import { type Answer, type App, openApp } from './support/open-app.ts';

let app: App;
let http: HttpServer;
beforeAll(async () => {
  app = await openApp();
  http = await startHttp(app.runtime, { host: '127.0.0.1', port: 0, trustLoopback: true, allowedHosts: [] });
});
afterAll(async () => {
  await http.close();
  await app[Symbol.asyncDispose]();
});

const at = (path: string) => `http://127.0.0.1:${http.port}${path}`;

test('POST and GET /admin/api/projects are create_project and list_projects', async () => {
  const made = await fetch(at('/admin/api/projects'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name": "test-project", "description": "Test project", "owner_agent_id": "test-agent"}',
  });
  expect(made.status).toBe(201);
  const { project_id, project } = (await made.json()) as Answer;
  expect(project).toMatchObject({ project_id, name: 'test-project', owner_agent_id: 'test-agent', status: 'active' });
  for (const path of ['/admin/api/projects?status_filter=active&limit=5', '/api/v1/projects']) {
    const listed = await fetch(at(path));
    expect(listed.status).toBe(200);
    expect(((await listed.json()) as Answer).projects).toMatchObject([{ project_id, open_tasks: 0 }]);
  }
  const refused = await fetch(at('/admin/api/projects?owner=test-agent'));
  expect(refused.status).toBe(400);
});

test('a caller nobody knows is turned away there as everywhere', async () => {
  const headers = { authorization: 'Bearer nothing', 'content-type': 'application/json' };
  const answer = await fetch(at('/admin/api/projects'), { method: 'POST', headers, body: '{"name": "x"}' });
  expect(answer.status).toBe(401);
});

test('both paths are in the OpenAPI document, under ids of their own', () => {
  const operations = [...projectOperations, ...formatOperations].map((operation) =>
    bindOperation(operation as never, {} as never),
  );
  const { paths } = buildOpenApi({ version: '1.2.3' }, operations) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
  };
  expect(paths['/admin/api/projects']).toMatchObject({
    post: { operationId: 'create_project_2', requestBody: {} },
    get: { operationId: 'list_projects_2', parameters: expect.any(Array) },
  });
  expect(paths['/api/v1/projects']).toMatchObject({ post: { operationId: 'create_project' } });
  const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map((each) => each.operationId));
  expect(new Set(ids).size).toBe(ids.length);
});
