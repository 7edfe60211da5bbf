// What keeps one user from filling what is everybody's: inboxes by user, answers nobody can read, agents without end.
import { expect, test } from 'vitest';
import { type App, type CallerOptions, openApp } from '../../../test/support/open-app.ts';
import { limits } from '../../kernel/limits.ts';

const http = (user: string, agent: string, session: string): CallerOptions => ({
  ...{ user, agent, session },
  transport: 'http',
});
const BOB = http('bob', 'cursor', 'ses_bob');
const ADA = http('ada', 'codex', 'ses_ada');

/** Bob's agent is written to by a program of his that is not registered, and answers it. */
async function answered(app: App, times: number): Promise<string> {
  const { agent_id } = await app.call('register_agent', { role: 'worker' }, BOB);
  const unregistered = http('bob', 'claude-code', 'ses_bob_2');
  const { message_id } = await app.call('send_message', { to_agent_id: agent_id, message: 'Any news?' }, unregistered);
  for (let i = 0; i < times; i++) await app.call('send_message', { reply_to: message_id, message: `None, ${i}.` }, BOB);
  return message_id;
}

test('an inbox is full of its own messages only, not of those to a namesake of another user', async () => {
  await using app = await openApp();
  const message_id = await answered(app, limits.agent_inbox_max_count);
  expect(await app.refusal('send_message', { reply_to: message_id, message: 'More.' }, BOB)).toMatchObject({
    code: 'limit_exceeded',
  });
  const { agent_id } = await app.call('register_agent', { role: 'code', machine: 'claude' }, ADA);
  expect(agent_id).toBe('claude-code');
  await app.call('send_message', { to_agent_id: agent_id, message: 'Hello' }, ADA);
  const { agents } = await app.call('get_agent_roster', {}, ADA);
  expect(agents).toMatchObject([{ agent_id, waiting_messages: 1 }]);
  const again = await app.call('register_agent', { role: 'code', machine: 'claude' }, ADA);
  expect(again.unread_messages).toBe(1);
}, 60_000);

test('an answer to a program that is not registered does not stay for long', async () => {
  await using app = await openApp();
  await answered(app, 1);
  const expiries = await app.rows('select to_agent_id, expires_at from agent_messages order by to_agent_id');
  const at = (ms: number) => new Date(app.clock.now() + ms).toISOString();
  expect(expiries).toEqual([
    { to_agent_id: 'claude-code', expires_at: at(limits.agent_unregistered_message_ttl_ms) },
    { to_agent_id: 'test-machine-worker', expires_at: at(limits.agent_message_ttl_ms) },
  ]);
});

test('a user has no more agents than the limit, and goes on with those that are there', async () => {
  await using app = await openApp();
  for (let i = 0; i < limits.agents_per_user_max_count; i++) await app.call('register_agent', { role: `r${i}` }, ADA);
  expect(await app.refusal('register_agent', { role: 'one more' }, ADA)).toMatchObject({
    code: 'limit_exceeded',
    message: expect.stringContaining(String(limits.agents_per_user_max_count)),
  });
  expect(await app.call('register_agent', { role: 'r7' }, ADA)).toMatchObject({ created: false });
  expect(await app.call('register_agent', { role: 'first' }, BOB)).toMatchObject({ created: true });
}, 60_000);

test('secrets among capabilities are replaced, in whatever letters', async () => {
  await using app = await openApp();
  const secrets = [`ghp_${'a1B2'.repeat(9)}`, `AKIA${'Q7X2'.repeat(4)}`];
  const { capabilities } = await app.call(
    'register_agent',
    { role: 'one', capabilities: ['testing', ...secrets] },
    ADA,
  );
  expect(capabilities).toContain('testing');
  const kept = JSON.stringify([capabilities, await app.rows('select capabilities from agents')]).toLowerCase();
  for (const secret of secrets) expect(kept).not.toContain(secret.toLowerCase());
});
