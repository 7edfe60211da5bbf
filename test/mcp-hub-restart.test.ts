// An agent over stdio whose hub is killed and started again: to the hub it is the same session as before, so it still is
// its agent, holds its task and hears of what it subscribed to.
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { cliPath, ensureBuilt, makePlace, node24, type Place } from './cli-binary.ts';
import { killLeftovers, type McpProcess, startMcp } from './support/mcp-process.ts';

type Fields = Record<string, unknown>;

let place: Place;

beforeAll(ensureBuilt);
beforeEach(() => {
  place = makePlace();
  place.env.HAIVEMIND_MACHINE_ID = 'ops1';
});
afterEach(async () => {
  await killLeftovers();
  await place.remove();
});

async function listener(): Promise<Client> {
  const env = place.env as Record<string, string>;
  const transport = new StdioClientTransport({
    ...{ command: node24, args: [cliPath, 'mcp'], env, cwd: place.home },
    stderr: 'ignore',
  });
  const client = new Client(
    { name: 'listener', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  await client.connect(transport);
  return client;
}

const connect = (): Promise<McpProcess> => startMcp({ cli: cliPath, env: place.env, cwd: place.home });

function updates(mcp: McpProcess, uri: string): number {
  return mcp.notifications('notifications/resources/updated').filter((params) => params.uri === uri).length;
}

it.each(['SIGKILL', 'SIGTERM'] as const)(
  'goes on as who it is after %s',
  async (signal) => {
    const hub = await place.serve(['serve']);
    const [agent, other] = await Promise.all([connect(), connect()]);
    const role = signal.toLowerCase();
    const { agent_id } = await agent.ask('register_agent', { role });
    await other.ask('register_agent', { role: `${role}-lead` });
    const { task } = await other.ask('create_kanban_task', { title: `Survives ${signal}` });
    const { task_id } = task as Fields;
    const claimed = await agent.ask('claim_next', { task_id });
    expect(claimed).toMatchObject({ task: { holder_agent_id: agent_id } });
    const [inbox, board] = [`haivemind://agents/${agent_id}/inbox`, `haivemind://tasks/${task_id}`];
    for (const uri of [inbox, board]) await agent.request('resources/subscribe', { uri });

    const heardByModern: string[] = [];
    const modern = await listener();
    modern.setNotificationHandler(
      'notifications/resources/updated',
      ({ params }) => void heardByModern.push(params.uri),
    );
    const stream = await modern.listen({ resourceSubscriptions: [board] });
    let over = false;
    void stream.closed.then(() => {
      over = true;
    });

    await hub.stop(signal);
    const again = await place.serve(['serve']);
    await expect
      .poll(() => [agent, other].every((mcp) => mcp.stderr().includes('The hub is back.')), { timeout: 20_000 })
      .toBe(true);

    const heard = () => [inbox, board].map((uri) => updates(agent, uri));
    const before = heard();
    await other.ask('send_message', { to_agent_id: agent_id, message: 'Are you still there?' });
    const went_on = await agent.ask('update_kanban_task', { task_id, progress: 60, comment: 'after the restart' });
    expect(went_on).toMatchObject({ task: { holder_agent_id: agent_id, progress: 60 } });
    await expect
      .poll(() => heard().every((count, place) => count > (before[place] ?? 0)), { timeout: 10_000 })
      .toBe(true);
    await expect.poll(() => heardByModern, { timeout: 10_000 }).toContain(board);
    expect(over).toBe(false);
    await modern.close();
    const { messages } = await agent.ask('check_inbox', {});
    expect(JSON.stringify(messages)).toContain('Are you still there?');
    await agent.ask('update_kanban_task', { task_id, status: 'done', resolution: 'Survived.' });
    await Promise.all([agent, other].map((mcp) => mcp.endInput()));
    await again.stop();
  },
  90_000,
);

it('is the same while it serves alone, and goes back to the hub once there is one', async () => {
  const hub = await place.serve(['serve']);
  const agent = await connect();
  const { agent_id } = await agent.ask('register_agent', { role: 'hermit' });
  const { task } = await agent.ask('create_kanban_task', { title: 'Outlives the hub' });
  const { task_id } = task as Fields;
  await agent.ask('claim_next', { task_id });
  const { task: untouched } = await agent.ask('create_kanban_task', { title: 'Changed by another alone' });
  const theirs = (untouched as Fields).task_id;
  const uri = `haivemind://tasks/${theirs}`;
  await agent.request('resources/subscribe', { uri });
  await hub.stop('SIGKILL');
  await expect.poll(() => agent.stderr(), { timeout: 20_000 }).toContain('serves alone');
  const alone = await agent.ask('update_kanban_task', { task_id, progress: 30 });
  expect(alone).toMatchObject({ task: { holder_agent_id: agent_id, progress: 30 } });

  const again = await place.serve(['serve']);
  await expect.poll(() => agent.stderr(), { timeout: 30_000 }).toContain('The hub is back.');
  expect(await agent.ask('update_kanban_task', { task_id, progress: 60 })).toMatchObject({ task: { progress: 60 } });
  expect(updates(agent, uri)).toBe(0);
  const other = await connect();
  await other.ask('update_kanban_task', { task_id: theirs, comment: 'Seen by the hub only' });
  await expect.poll(() => updates(agent, uri), { timeout: 10_000 }).toBeGreaterThan(0);
  const { code } = await agent.endInput();
  expect(code).toBe(0);
  await other.endInput();
  await again.stop();
}, 90_000);
