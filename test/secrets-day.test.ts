// A day with 200 secrets at a real hub: stored, read, renewed, refused, shared, deleted, backed up. Afterwards everything
// that was left behind is searched for them: every file, every log line, every other answer, every process's arguments.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureBuilt, makePlace, type Place, type RunningServer } from './cli-binary.ts';

const SECRETS = 200;

let place: Place;
let hub: RunningServer;
let said = '';
const answers: string[] = [];
const arguments_seen = new Set<string>();

beforeAll(async () => {
  ensureBuilt();
  place = makePlace();
  // The most talkative log there is: nothing of it may hold a value.
  hub = await place.serve(['serve'], { HAIVEMIND_LOG_LEVEL: 'debug' });
  for (const stream of [hub.child.stdout, hub.child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
});
afterAll(async () => {
  await place.remove();
});

/** Long enough that no form of it can stand somewhere by chance; with signs that every encoding changes. */
function makeSecret(i: number): string {
  const random = randomBytes(24);
  const shapes = [
    () => random.toString('hex'),
    () => random.toString('base64'),
    () => `p@ss wörd/${random.toString('base64url')}?&="<>`,
    () => `-----BEGIN MADE UP-----\n${random.toString('base64')}\n-----END MADE UP-----`,
  ];
  return (shapes[i % shapes.length] ?? (() => ''))();
}

/** The forms in which a value may have been written down. Of base64 the part that is the same at every alignment. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift, 32), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return whole.slice(shift === 0 ? 0 : 4, -2);
  });
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    ...new Set([
      secret,
      json,
      JSON.stringify(json).slice(1, -1),
      ...base64,
      ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      encodeURIComponent(secret),
      new URLSearchParams({ '': secret }).toString().slice(1),
    ]),
  ];
}

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await fetch(`${hub.listening.url}/api/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

/** As `ask`, for every answer that has no business to hold a value. */
async function asked(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
  const answer = await ask(method, path, body);
  answers.push(answer.text);
  return answer;
}

const operation = (name: string, input: unknown) => asked('POST', `/operations/${name}`, input);

function noteArguments(): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      arguments_seen.add(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
    } catch {
      // It ended meanwhile.
    }
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

it('leaves none of them behind, in any form', async () => {
  const secrets = Array.from({ length: SECRETS }, (_, i) => makeSecret(i));
  const made = await operation('create_vault', { name: 'day', vault_type: 'personal' });
  const { vault_id } = JSON.parse(made.text) as { vault_id: string };
  const watch = setInterval(noteArguments, 20);
  const key = (i: number) => `key-${i}`;
  const shared: number[] = [];

  for (const [i, value] of secrets.entries()) {
    if (i % 20 === 0) {
      // A person at a terminal: the value goes in by the standard input, never as an argument.
      const ran = await place.run(['vault', 'store', vault_id, key(i)], { input: value });
      expect(ran).toMatchObject({ code: 0 });
      answers.push(ran.stdout, ran.stderr);
      noteArguments();
    } else {
      const stored = await operation('store_in_vault', { vault_id, key: key(i), value, metadata: { number: i } });
      expect(stored.status).toBeLessThan(300);
    }
    if (i % 5 === 0) {
      const read = await ask('POST', '/operations/retrieve_from_vault', {
        vault_id,
        key: key(i),
        audit_reason: 'the day',
      });
      expect(JSON.parse(read.text)).toMatchObject({ value });
    }
    // What goes wrong must not say the value either: bad types, bad names, unknown vaults, no reason, too much.
    if (i % 7 === 0) await operation('store_in_vault', { vault_id, key: 'bad key\n', value });
    if (i % 7 === 1) await operation('store_in_vault', { vault_id: 'vault_none', key: key(i), value });
    if (i % 7 === 2) await operation('store_in_vault', { vault_id, key: key(i), value: [value] });
    if (i % 7 === 3) await operation('store_in_vault', { vault_id, key: key(i), value: value.repeat(5_000) });
    if (i % 7 === 4)
      await operation('store_in_vault', {
        vault_id,
        key: key(i),
        value,
        metadata: { 'not json': 1, value: [[value.length]] },
        expires_at: 'soon',
      });
    if (i % 7 === 5) await operation('retrieve_from_vault', { vault_id, key: key(i), audit_reason: '' });
    if (i % 50 === 0) shared.push(i);
  }
  await operation('share_vault', { vault_id, share_with: 'bob', share_type: 'user', access_level: 'read' });
  await operation('rotate_vault_key', { vault_id });
  await operation('store_in_vault', { vault_id, key: key(0), value: secrets[1] });
  for (const i of shared) await operation('delete_vault_secret', { vault_id, key: key(i) });
  await operation('list_vault_secrets', { vault_id });
  await operation('vault_audit_log', { vault_id });
  await operation('get_memory_stats', {});
  await operation('search_memories', { query: 'key-1' });
  for (const path of ['/health', '/metrics', '/openapi.json'])
    answers.push(await (await fetch(`${hub.listening.url}${path}`)).text());
  const backup = await place.run(['backup', join(place.data_dir, 'backup.db')]);
  expect(backup).toMatchObject({ code: 0 });
  clearInterval(watch);
  await hub.stop();

  const places: [string, Buffer][] = [
    ...filesBelow(join(place.data_dir, '..')).map((path): [string, Buffer] => [path, readFileSync(path)]),
    ['the log', Buffer.from(said)],
    ['the answers', Buffer.from(answers.join('\n'))],
    ['process arguments', Buffer.from([...arguments_seen].join('\n'))],
  ];
  const found = secrets.flatMap((secret) =>
    formsOf(secret).flatMap((form) => places.flatMap(([where, bytes]) => (bytes.includes(form) ? [where] : []))),
  );
  expect(found).toEqual([]);
  // The search itself has to be able to find something.
  expect(places.some(([, bytes]) => bytes.includes(vault_id))).toBe(true);
  expect(said).toContain('refused');
  expect([...arguments_seen].some((line) => line.includes('vault'))).toBe(true);
}, 180_000);
