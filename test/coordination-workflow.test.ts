// Three agents of one person at work at the same time, each an MCP client of its own beside one hub: they register, share
// out work, tell each other what they found; one is killed in the middle of a task, and nothing is lost with it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cliPath, ensureBuilt, makePlace, type Place, type RunningServer } from './cli-binary.ts';
import { killLeftovers, type McpProcess, startMcp } from './support/mcp-process.ts';

type Fields = Record<string, unknown>;

let place: Place;
let hub: RunningServer;

beforeAll(async () => {
  ensureBuilt();
  place = makePlace();
  place.env.HAIVEMIND_MACHINE_ID = 'ops1';
  hub = await place.serve(['up']);
});
afterAll(async () => {
  await killLeftovers();
  await hub.stop();
  await place.remove();
});

const connect = (): Promise<McpProcess> => startMcp({ cli: cliPath, env: place.env, cwd: place.home });

const list = (value: unknown): Fields[] => value as Fields[];

/** What a program that is no MCP client hears meanwhile. */
async function listen(): Promise<{ readonly events: Fields[]; stop(): void }> {
  const gone = new AbortController();
  const url = new URL('/api/v1/events?kinds=task,message,agent', hub.listening.url);
  const answer = await fetch(url, { signal: gone.signal });
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const events: Fields[] = [];
  void (async () => {
    let rest = '';
    for await (const piece of answer.body ?? []) {
      const blocks = (rest + Buffer.from(piece).toString('utf8')).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
        if (fields.data) events.push({ id: fields.id, event: fields.event, ...JSON.parse(fields.data) });
      }
    }
  })().catch(() => {});
  return { events, stop: () => gone.abort() };
}

it('shares work out, and goes on where an agent died', async () => {
  const heard = await listen();
  const [lead, elastic, database] = await Promise.all([connect(), connect(), connect()]);
  const [boss, first, second] = await Promise.all([
    lead.ask('register_agent', { role: 'lead', capabilities: ['coordination'] }),
    elastic.ask('register_agent', { role: 'elastic', capabilities: ['elasticsearch_ops'] }),
    database.ask('register_agent', { role: 'database', capabilities: ['database_ops', 'elasticsearch_ops'] }),
  ]);
  expect([boss, first, second].map(({ agent_id }) => agent_id)).toEqual(['ops1-lead', 'ops1-elastic', 'ops1-database']);
  const { agents } = await lead.ask('get_agent_roster', {});
  expect(list(agents).map(({ agent_id, status }) => `${agent_id} ${status}`)).toEqual(
    expect.arrayContaining(['ops1-lead active', 'ops1-elastic active', 'ops1-database active']),
  );

  // Delegated to whom it is said, with a message in the inbox.
  const delegated = await lead.ask('delegate_task', {
    task_description: 'Optimize search performance on elastic1',
    required_capabilities: ['elasticsearch_ops'],
    agent_id: 'ops1-elastic',
  });
  const { task_id } = delegated;
  const inbox = await elastic.ask('check_inbox', {});
  expect(list(inbox.messages)).toMatchObject([{ kind: 'task', task_id, deliveries: 1 }]);

  // Claimed by one of the two who ask at once; the other gets nothing, and is told why.
  const [mine, theirs] = await Promise.all([
    elastic.ask('claim_next', { lease_seconds: 2 }),
    database.ask('claim_next', { lease_seconds: 2 }),
  ]);
  expect(mine).toMatchObject({ task: { task_id, holder_agent_id: 'ops1-elastic' }, fencing_token: 1 });
  expect(theirs).toMatchObject({ task: null, why: expect.stringMatching(/\S/) });
  const learned = 'The JVM heap of elastic1 was above the compressed pointer limit of 31g';
  await elastic.ask('store_memory', { content: learned, category: 'infrastructure' });
  await elastic.ask('update_kanban_task', { task_id, progress: 40, comment: 'heap lowered to 30g', fencing_token: 1 });

  // It dies in the middle. Its task comes back, and is taken over with what was said about it.
  await elastic.signal('SIGKILL');
  await expect
    .poll(async () => (await database.ask('claim_next', { lease_seconds: 60 })).task, { timeout: 30_000 })
    .toMatchObject({ task_id, holder_agent_id: 'ops1-database', progress: 40 });

  // Back from the dead with what it still wanted to say: too late.
  const revived = await connect();
  await revived.ask('register_agent', { role: 'elastic', capabilities: ['elasticsearch_ops'] });
  const late = await revived.call('update_kanban_task', { task_id, status: 'done', fencing_token: 1 });
  expect(late).toMatchObject({ isError: true, output: { code: 'conflict' } });
  expect(JSON.stringify(late.output)).toContain('ops1-database');

  // What the dead one knew is there for who asks.
  const known = await lead.ask('query_agent_knowledge', { agent_id: 'ops1-elastic', query: 'heap of elastic1' });
  expect(JSON.stringify(known)).toContain(learned);

  // A discovery reaches every inbox and is a memory.
  const told = await database.ask('broadcast_discovery', {
    message: 'Shards of index orders-2026 are twice as large as the others',
    category: 'infrastructure',
    severity: 'warning',
  });
  const { messages } = await lead.ask('check_inbox', {});
  expect(list(messages)).toMatchObject([{ kind: 'discovery', memory_id: told.memory_id, severity: 'warning' }]);

  // Done, with what came of it; it comes back where similar work starts.
  const done = await database.ask('update_kanban_task', {
    task_id,
    status: 'done',
    resolution: 'Search on elastic1 is fast again: heap 30g, orders-2026 reindexed into 8 shards',
  });
  expect(done).toMatchObject({ task: { status: 'done', progress: 100, holder_agent_id: null } });
  const next = await lead.ask('create_kanban_task', { title: 'Search on elastic1 is slow again, reindex shards' });
  expect(JSON.stringify(next.related)).toContain('orders-2026 reindexed into 8 shards');

  await expect
    .poll(() => heard.events.map(({ event }) => event))
    .toEqual(expect.arrayContaining(['agent', 'task', 'message']));
  await expect
    .poll(() => heard.events.findLast((event) => event.task_id === task_id && event.event === 'task'))
    .toMatchObject({ status: 'done' });
  heard.stop();
  await Promise.all([lead, database, revived].map((client) => client.endInput()));
});
