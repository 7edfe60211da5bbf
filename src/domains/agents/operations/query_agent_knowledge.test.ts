// Asking what an agent knows: from what it left behind, and from itself, also across two hubs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type App, type CallerOptions, contextOf, openApp } from '../../../../test/support/open-app.ts';
import { limits } from '../../../kernel/limits.ts';
import type { Progress } from '../../../kernel/operation.ts';

let app: App;
beforeEach(async () => {
  app = await openApp();
});
afterEach(() => app[Symbol.asyncDispose]());

const ASKER: CallerOptions = { agent: 'asker', session: 'ses_asker', transport: 'stdio' };
const EXPERT: CallerOptions = { agent: 'expert', session: 'ses_expert', transport: 'stdio' };

async function register(caller: CallerOptions, role: string, hub = app): Promise<string> {
  return (await hub.call('register_agent', { role, capabilities: ['elasticsearch_ops'] }, caller)).agent_id;
}

/** Waits until the agent has a question and answers it. */
async function answerFirst(hub: App, caller: CallerOptions, message: string): Promise<Answer> {
  for (let round = 0; round < 500; round++) {
    const { messages } = await hub.call('check_inbox', {}, caller);
    const [question] = messages.filter(({ kind }: Answer) => kind === 'question');
    if (question) return hub.call('send_message', { reply_to: question.message_id, message }, caller);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('No question came.');
}

test('memories, runbooks, incidents and tasks in one list with where they come from', async () => {
  const agent_id = await register(EXPERT, 'specialist');
  await register(ASKER, 'asker');
  const heap = await app.store('Heap of elasticsearch: half the memory.', { category: 'infrastructure' }, EXPERT);
  const runbook = await app.store('Restart elasticsearch: flush first.', { category: 'runbooks' }, EXPERT);
  const incident = await app.store('elasticsearch ran out of heap at night.', { category: 'incidents' }, EXPERT);
  await app.store('Heap of elasticsearch, as the asker remembers it.', {}, ASKER);
  const { task_id } = await app.call('delegate_task', { task_description: 'Tune elasticsearch heap', agent_id }, ASKER);
  const found = await app.call('query_agent_knowledge', { agent_id, query: 'elasticsearch heap' }, ASKER);
  expect(found).toMatchObject({ agent_id, status: 'active', message_id: null, answer: null, notice: null });
  const kinds = Object.fromEntries(
    found.knowledge.map((known: Answer) => [known.memory_id ?? known.task_id, known.kind]),
  );
  expect(kinds).toEqual({ [heap]: 'memory', [runbook]: 'runbook', [incident]: 'incident', [task_id]: 'task' });
  const scores = found.knowledge.map(({ score }: Answer) => score);
  expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a));
  for (const known of found.knowledge)
    expect(known).toMatchObject({ machine_id: 'test-machine', at: expect.any(String) });
  expect(await app.text('query_agent_knowledge', { agent_id, query: 'heap' }, ASKER)).toContain(incident);
});

test('never more than the caller may see, and of an agent out of sight nothing', async () => {
  const agent_id = await register({ ...EXPERT, user: 'bob' }, 'specialist');
  const hidden = await app.refusal('query_agent_knowledge', { agent_id, query: 'heap' }, ASKER);
  const absent = await app.refusal('query_agent_knowledge', { agent_id: 'nobody', query: 'heap' }, ASKER);
  expect(JSON.stringify(hidden).replaceAll(agent_id, 'nobody')).toBe(JSON.stringify(absent));
  expect(absent.code).toBe('not_found');
  const { team_id } = await app.call('create_team', { name: 'Search' });
  await app.call('add_team_member', { team_id, user_id: 'bob', role: 'member' });
  await app.store('The heap is my secret.', {}, { ...EXPERT, user: 'bob' });
  await app.call('set_mode', { mode: 'team', context_id: team_id }, { ...EXPERT, user: 'bob' });
  const shown = await app.store('The heap is 16 GB.', { scope: 'team' }, { ...EXPERT, user: 'bob' });
  // Another user's program that gives itself the same name is another agent.
  await app.store(
    'The heap of an impostor.',
    { scope: 'shared' },
    { user: 'zoe', agent: agent_id, session: 'ses_zoe' },
  );
  const { knowledge } = await app.call('query_agent_knowledge', { agent_id, query: 'heap' }, ASKER);
  expect(knowledge.map(({ memory_id }: Answer) => memory_id)).toEqual([shown]);
});

test('the agent itself answers while the asker waits', async () => {
  const agent_id = await register(EXPERT, 'specialist');
  await register(ASKER, 'asker');
  const asked = app.call('query_agent_knowledge', { agent_id, query: 'How large is the heap?', ask_live: true }, ASKER);
  await answerFirst(app, EXPERT, 'Half of the memory, 31 GB at most.');
  const { answer, message_id, notice } = await asked;
  expect(answer).toMatchObject({ body: 'Half of the memory, 31 GB at most.' });
  expect(message_id).toMatch(/^msg_/);
  expect(notice).toBeNull();
});

test('who registered nothing may ask and is answered', async () => {
  const agent_id = await register(EXPERT, 'specialist');
  const person: CallerOptions = { agent: 'terminal', session: 'ses_person', transport: 'cli' };
  const asked = app.call('query_agent_knowledge', { agent_id, query: 'How large?', ask_live: true }, person);
  await answerFirst(app, EXPERT, 'Large.');
  expect((await asked).answer).toMatchObject({ body: 'Large.' });
});

test('without an answer in time it says so; a late one is in the inbox', async () => {
  const agent_id = await register(EXPERT, 'specialist');
  await register(ASKER, 'asker');
  const live = { agent_id, query: 'How large?', ask_live: true, timeout_seconds: 1 };
  const { answer, message_id, notice } = await app.call('query_agent_knowledge', live, ASKER);
  expect(answer).toBeNull();
  expect(notice).toContain('No answer in 1 s');
  await app.call('send_message', { reply_to: message_id, message: 'Sorry: large.' }, EXPERT);
  const { messages } = await app.call('check_inbox', {}, ASKER);
  expect(messages).toMatchObject([{ kind: 'answer', reply_to: message_id, body: 'Sorry: large.' }]);
});

test('who is offline is not waited for and finds the question later', async () => {
  const agent_id = await register(EXPERT, 'specialist');
  app.clock.advance(limits.agent_presence_ttl_ms + 1);
  const live = { agent_id, query: 'How large?', ask_live: true, timeout_seconds: 120 };
  const found = await app.call('query_agent_knowledge', live, ASKER);
  expect(found).toMatchObject({ status: 'offline', answer: null, notice: expect.stringContaining('not waited for') });
  const { messages } = await app.call('check_inbox', {}, EXPERT);
  expect(messages).toMatchObject([{ message_id: found.message_id, kind: 'question', body: 'How large?' }]);
});

test('an answer of somebody else is none', async () => {
  const agent_id = await register(EXPERT, 'specialist');
  await register(ASKER, 'asker');
  const live = { agent_id, query: 'How large?', ask_live: true, timeout_seconds: 1 };
  const asked = app.call('query_agent_knowledge', live, ASKER);
  const other: CallerOptions = { agent: 'other', session: 'ses_other', transport: 'stdio' };
  await register(other, 'other');
  let question: Record<string, unknown> | undefined;
  while (!question) [question] = await app.rows("select message_id from agent_messages where kind = 'question'");
  const refused = { reply_to: question.message_id, message: 'Small.' };
  expect(await app.refusal('send_message', refused, other)).toMatchObject({ code: 'not_found' });
  expect((await asked).answer).toBeNull();
});

test('waiting tells how long, and ends with the call', async () => {
  const agent_id = await register(EXPERT, 'specialist');
  const told: Progress[] = [];
  const cancelling = new AbortController();
  const call = app.runtime.executor.execute(
    'query_agent_knowledge',
    { agent_id, query: 'How large?', ask_live: true, timeout_seconds: 60 },
    {
      ...contextOf('test-machine', ASKER),
      signal: cancelling.signal,
      reportProgress(progress) {
        told.push(progress);
        cancelling.abort();
      },
    },
  );
  await expect(call).rejects.toMatchObject({ code: 'cancelled' });
  expect(told[0]).toMatchObject({ done: 0, total: 60, message: `waiting for ${agent_id}` });
});

test('asker and agent on two hubs of one store', async () => {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-hubs-'));
  try {
    await using here = await openApp({ data_dir });
    await using there = await openApp({ data_dir });
    const agent_id = await register(EXPERT, 'specialist', there);
    await register(ASKER, 'asker', here);
    const asked = here.call('query_agent_knowledge', { agent_id, query: 'How large?', ask_live: true }, ASKER);
    await answerFirst(there, EXPERT, 'As large as over there.');
    expect((await asked).answer).toMatchObject({ body: 'As large as over there.' });
  } finally {
    rmSync(data_dir, { recursive: true, force: true });
  }
});

test('what came of a task is found once, with the task, also by who only sees what was learned', async () => {
  const agent_id = await register(EXPERT, 'specialist');
  const wanted = { task_description: 'Search got slow', required_capabilities: ['elasticsearch_ops'] };
  const { task_id } = await app.call('delegate_task', wanted, ASKER);
  await app.call('claim_next', { task_id }, EXPERT);
  const resolution = 'Shards of the orders index were too large: eight instead of one.';
  const { memory_id } = await app.call('update_kanban_task', { task_id, status: 'done', resolution }, EXPERT);
  const query = { agent_id, query: 'too large shards of orders' };
  const { knowledge } = await app.call('query_agent_knowledge', query, ASKER);
  expect(knowledge).toMatchObject([{ kind: 'task', task_id, text: expect.stringContaining(resolution) }]);
  const scopes = ['agent.read', 'memory.read'] as const;
  const ctx = contextOf('test-machine', ASKER);
  const limited = {
    ...ctx,
    principal: { ...ctx.principal, credential: { kind: 'token', admin: false, scopes } as const },
  };
  const { output } = await app.runtime.executor.execute('query_agent_knowledge', query, limited);
  expect(output.knowledge).toMatchObject([{ kind: 'memory', memory_id, task_id }]);
});
