// Imports over HTTP: what is refused as a whole is refused by the status, before the body is read.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALNUM, seededRandom } from '../../../bench/redaction/random.ts';
import { type App, openApp } from '../../../test/support/open-app.ts';
import { type HttpServer, startHttp } from './server.ts';

let app: App;
let http: HttpServer;
let team: string;

beforeAll(async () => {
  app = await openApp({ role: 'server' });
  const options = { host: '127.0.0.1', port: 0, trustLoopback: true, allowedHosts: [], clock: app.clock };
  http = await startHttp(app.runtime, options);
  team = (await app.call('create_team', { name: 'Payments' }, { user: 'olga' })).team_id;
  for (const [user_id, role] of Object.entries({ mia: 'member', rita: 'readonly' }))
    await app.call('add_team_member', { team_id: team, user_id, role }, { user: 'olga' });
});
afterAll(async () => {
  await http.close();
  await app[Symbol.asyncDispose]();
});

const url = (path: string) => `http://127.0.0.1:${http.port}/api/v1${path}`;

/** As the user of a token that the owner of the machine makes. */
async function send(user: string, query: string, body: string): Promise<{ status: number; text: string }> {
  const made = await fetch(url('/tokens'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user }),
  });
  const { token } = (await made.json()) as { token: string };
  const headers = { 'content-type': 'application/x-ndjson', authorization: `Bearer ${token}` };
  const answer = await fetch(url(`/import${query}`), { method: 'POST', headers, body });
  return { status: answer.status, text: await answer.text() };
}

test('a member imports into the team and hears of the secrets', async () => {
  const secret = `ghp_${seededRandom(23).text(ALNUM, 36)}`;
  const { status, text } = await send('mia', `?team_id=${team}`, `${JSON.stringify({ content: `use ${secret}` })}\n`);
  expect(status).toBe(200);
  expect(JSON.parse(text.trim().split('\n').at(-1) ?? '')).toMatchObject({
    type: 'done',
    stored: 1,
    redacted: 1,
    redacted_kinds: [expect.any(String)],
  });
  expect(text).not.toContain(secret);
  expect(await app.rows('select scope, team_id from memories')).toEqual([{ scope: 'team', team_id: team }]);
});

test.each([
  ['rita', 403, 'forbidden'],
  ['eve', 404, 'not_found'],
])('%s gets %i', async (user, status, code) => {
  const before = await app.rows('select memory_id from memories');
  const answer = await send(user, `?team_id=${team}`, '{"content":"never stored"}\n');
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text)).toMatchObject({ code });
  expect(await app.rows('select memory_id from memories')).toEqual(before);
});

test('a team with another scope is no valid request', async () => {
  expect((await send('mia', `?team_id=${team}&scope=solo`, '{"content":"x"}\n')).status).toBe(400);
  expect((await send('mia', '?scope=team', '{"content":"x"}\n')).status).toBe(400);
  expect((await send('mia', '?team_id=', '{"content":"x"}\n')).status).toBe(400);
});
