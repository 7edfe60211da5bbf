// Resources of tasks, agents and projects that a client subscribes to: told on change, read by their URI, and nothing
// of it for other users. With the SDK's client, over Streamable HTTP and over stdio beside a hub.
import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpServer, startHttp } from '../src/surfaces/http/server.ts';
import { cliPath, ensureBuilt, makePlace, node24, type Place, type RunningServer } from './cli-binary.ts';
import { type Answer, type App, openApp } from './support/open-app.ts';

type Era = 'legacy' | 'modern';

interface Subscriber {
  readonly client: Client;
  /** URIs it was told of, each once. */
  readonly told: Set<string>;
  ask(tool: string, input?: Record<string, unknown>): Promise<Answer>;
  follow(uris: readonly string[]): Promise<void>;
  read(uri: string): Promise<Answer>;
}

async function connect(era: Era, name: string, transport: Transport): Promise<Subscriber> {
  const mode = era === 'modern' ? { pin: '2026-07-28' as const } : ('legacy' as const);
  const client = new Client({ name, version: '1' }, { versionNegotiation: { mode } });
  await client.connect(transport);
  const told = new Set<string>();
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void told.add(params.uri));
  const subscriber: Subscriber = {
    client,
    told,
    async ask(tool, input = {}) {
      const { isError, structuredContent } = await client.callTool({
        name: tool,
        arguments: input,
        _meta: { 'haivemind/session': name },
      });
      if (isError) throw new Error(`${tool}: ${JSON.stringify(structuredContent)}`);
      return structuredContent as Answer;
    },
    async follow(uris) {
      if (era === 'modern') return void (await client.listen({ resourceSubscriptions: [...uris] }));
      await isHearing(subscriber);
      for (const uri of uris) await client.subscribeResource({ uri });
    },
    async read(uri) {
      const { contents } = await client.readResource({ uri });
      const [first] = contents;
      if (!first || !('text' in first)) throw new Error(`${uri} has no text`);
      return JSON.parse(
        String(first.text)
          .replace(/^[^{]*/, '')
          .replace(/[^}]*$/, ''),
      ) as Answer;
    },
  };
  return subscriber;
}

/** A client of the earlier protocol opens the stream it hears by after the handshake, and does not say when it is open. */
async function isHearing({ client, told, ask }: Subscriber): Promise<void> {
  const { memory_id } = await ask('store_memory', { content: 'the line is open' });
  const uri = `haivemind://memory/${memory_id}`;
  await client.subscribeResource({ uri });
  for (let round = 0; !told.has(uri); round++) {
    await ask('update_memory', { memory_id, tags: [`round-${round}`] });
    expect(round).toBeLessThan(1_000);
  }
  await client.unsubscribeResource({ uri });
}

/** What is there to subscribe to, of the one who makes it. */
async function makeWork(owner: Subscriber) {
  const { agent_id } = await owner.ask('register_agent', { role: 'lead' });
  const { task } = await owner.ask('create_kanban_task', { title: 'Tune the shards' });
  const { project_id } = await owner.ask('create_project', { name: 'elastic' });
  return {
    agent_id,
    task_id: task.task_id as string,
    uris: {
      tasks: 'haivemind://tasks',
      task: `haivemind://tasks/${task.task_id}`,
      agents: 'haivemind://agents',
      inbox: `haivemind://agents/${agent_id}/inbox`,
      project: `haivemind://projects/${project_id}`,
    },
    project_id: project_id as string,
  };
}
type Work = Awaited<ReturnType<typeof makeWork>>;

const toldOf = (subscriber: Subscriber, ...uris: string[]) =>
  expect
    .poll(() => [...subscriber.told].filter((uri) => !uri.startsWith('haivemind://memory/')).sort(), {
      timeout: 10_000,
    })
    .toEqual(uris.sort());

/** Changes each, one after the other: told of exactly what each changes. */
async function changeEach(owner: Subscriber, other: Subscriber, { uris, agent_id, task_id, project_id }: Work) {
  await other.ask('update_kanban_task', { task_id, comment: 'from 12 to 6' });
  await toldOf(owner, uris.tasks, uris.task);
  owner.told.clear();
  await other.ask('register_agent', { role: 'helper' });
  await toldOf(owner, uris.agents);
  owner.told.clear();
  await other.ask('send_message', { to_agent_id: agent_id, message: 'shards are tuned' });
  await toldOf(owner, uris.inbox);
  owner.told.clear();
  await other.ask('update_project', { project_id, description: 'shards and mappings' });
  await toldOf(owner, uris.project);
  owner.told.clear();
}

async function readEach(owner: Subscriber, { uris, agent_id, task_id, project_id }: Work) {
  expect((await owner.read(uris.tasks)).tasks).toMatchObject([{ task_id }]);
  expect(await owner.read(uris.task)).toMatchObject({ task: { task_id, title: 'Tune the shards' } });
  const { agents } = await owner.read(uris.agents);
  expect(agents.map((agent: Answer) => agent.agent_id)).toContain(agent_id);
  expect((await owner.read(uris.inbox)).messages).toMatchObject([{ body: 'shards are tuned' }]);
  expect((await owner.read(uris.project)).projects).toMatchObject([{ project_id, description: 'shards and mappings' }]);
}

describe.each<Era>(['legacy', 'modern'])('over Streamable HTTP, %s', (era) => {
  let app: App;
  let http: HttpServer;
  beforeAll(async () => {
    app = await openApp({ role: 'server' });
    const options = { host: '127.0.0.1', port: 0, trustLoopback: true, allowedHosts: [], clock: app.clock };
    http = await startHttp(app.runtime, options);
  });
  afterAll(async () => {
    await http.close(1_000);
    await app[Symbol.asyncDispose]();
  });

  async function as(user: string, name: string): Promise<Subscriber> {
    const base = `http://127.0.0.1:${http.port}`;
    const made = await fetch(`${base}/api/v1/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user }),
    });
    const { token } = (await made.json()) as { token: string };
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    return connect(era, name, new StreamableHTTPClientTransport(new URL('/mcp', base), { requestInit }));
  }

  it('tells who may see it of each change, and nobody else', async () => {
    const [ada, helper, bob] = [await as('ada', 'lead'), await as('ada', 'helper'), await as('bob', 'spy')];
    const work = await makeWork(ada);
    for (const subscriber of [ada, bob]) await subscriber.follow(Object.values(work.uris));
    await changeEach(ada, helper, work);
    await readEach(ada, work);
    // What he was told in the meantime is in before this.
    await ada.ask('create_kanban_task', { title: 'For everybody', scope: 'shared' });
    await toldOf(bob, work.uris.tasks);
    const { tasks } = await bob.read(work.uris.tasks);
    expect(tasks.map(({ title }: Answer) => title)).toEqual(['For everybody']);
    expect((await bob.read(work.uris.agents)).agents).toEqual([]);
    for (const uri of [work.uris.task, work.uris.inbox, work.uris.project])
      await expect(bob.read(uri)).rejects.toThrow(/no/i);
    for (const { client } of [ada, helper, bob]) await client.close();
  });

  // In the later protocol one ends the listening instead.
  if (era === 'modern') return;

  it('tells no more after the client has unsubscribed', async () => {
    const ada = await as('eve', 'quiet');
    const { task } = await ada.ask('create_kanban_task', { title: 'Noise' });
    const uris = [`haivemind://tasks/${task.task_id}`, 'haivemind://tasks'] as const;
    await ada.follow(uris);
    await ada.client.unsubscribeResource({ uri: uris[0] });
    await ada.ask('update_kanban_task', { task_id: task.task_id, comment: 'once more' });
    await toldOf(ada, uris[1]);
    await ada.client.close();
  });
});

describe.each<Era>(['legacy', 'modern'])('over stdio, %s', (era) => {
  let place: Place;
  let hub: RunningServer;
  beforeAll(async () => {
    ensureBuilt();
    place = makePlace();
    hub = await place.serve(['up']);
  });
  afterAll(async () => {
    await hub.stop();
    await place.remove();
  });

  const start = (name: string): Promise<Subscriber> => {
    const env = Object.fromEntries(
      Object.entries(place.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    );
    return connect(era, name, new StdioClientTransport({ command: node24, args: [cliPath, 'mcp'], env }));
  };

  it('tells of changes that another client of the hub makes', async () => {
    const [owner, helper] = [await start('lead'), await start('helper')];
    const work = await makeWork(owner);
    await owner.follow(Object.values(work.uris));
    await changeEach(owner, helper, work);
    await readEach(owner, work);
    for (const { client } of [owner, helper]) await client.close();
  });
});
