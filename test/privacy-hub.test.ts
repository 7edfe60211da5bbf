// A user of a running hub takes everything along and is erased: over HTTP and from the shell, with the log at its most talkative.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureBuilt, makePlace, type Place } from './cli-binary.ts';

let place: Place;
beforeAll(() => {
  ensureBuilt();
  place = makePlace();
});
afterAll(() => place.remove());

it('exports and erases over HTTP and from the shell, and names nobody in its log', async () => {
  const name = `zq${randomBytes(6).toString('hex')}`;
  const hub = await place.serve(['serve'], { HAIVEMIND_LOG_LEVEL: 'debug' });
  const ask = (path: string, body?: unknown, token?: string) =>
    fetch(`${hub.listening.url}/api/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const { token } = (await (await ask('/tokens', { user: name })).json()) as { token: string };
  for (let i = 0; i < 30; i++) {
    const body = { content: `${i} ${'tea '.repeat(1_000)}`, scope: i % 2 ? 'shared' : 'solo' };
    expect((await ask('/memories', body, token)).status).toBe(201);
  }

  const whole = await ask(`/privacy/export?user_id=${name}`, undefined, token);
  expect(whole.headers.get('content-type')).toMatch(/^application\/json/);
  const { records } = (await whole.json()) as { records: { table: string }[] };
  expect(records.filter(({ table }) => table === 'memories')).toHaveLength(30);
  expect((await ask('/privacy/export?user_id=somebody', undefined, token)).status).toBe(403);
  expect((await ask('/privacy/export')).status).toBe(400);

  const file = join(place.home, 'mine.md');
  const written = await place.run(['privacy', 'export', name, '--format', 'markdown', '-o', file]);
  expect(written).toMatchObject({ code: 0, stdout: expect.stringContaining(file) });
  expect(readFileSync(file, 'utf8').match(/^- content: /gm)).toHaveLength(30);

  const dry = await place.run(['privacy', 'erase', name, '--json']);
  expect(JSON.parse(dry.stdout)).toMatchObject({ erased: false, on_hold: false });
  const erased = await place.run(['privacy', 'erase', name, '--confirm', '--json']);
  expect(JSON.parse(erased.stdout)).toMatchObject({ erased: true, left: '' });
  expect((await ask('/memories/recent', undefined, token)).status).toBe(401);

  const { stderr } = await hub.stop();
  expect(stderr).toContain('"operation"');
  expect(stderr.toLowerCase()).not.toContain(name);
  for (const entry of readdirSync(place.data_dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    expect(readFileSync(path, 'latin1').toLowerCase().includes(name), path).toBe(false);
  }
});
