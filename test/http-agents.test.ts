// Agents of tokens over HTTP: a token that names its agent or its machine registers no other.
import { expect, it } from 'vitest';
import { startHttp } from '../src/surfaces/http/server.ts';
import { openApp } from './support/open-app.ts';

it('registers the agent a token names, on the machine it names, and no other', async () => {
  await using app = await openApp({ role: 'server' });
  const options = { host: '127.0.0.1', port: 0, trustLoopback: true, allowedHosts: [], clock: app.clock };
  const http = await startHttp(app.runtime, options);
  const ask = async (path: string, body: object, token?: string): Promise<Record<string, unknown>> => {
    const headers = {
      'content-type': 'application/json',
      'x-haivemind-agent': 'somebody-else',
      'x-haivemind-machine': 'elsewhere',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const url = `http://127.0.0.1:${http.port}/api/v1${path}`;
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) };
  };
  const tokenOf = async (fields: object) => String((await ask('/tokens', { user: 'bob', ...fields })).token);
  try {
    const fixed = await tokenOf({ agent: 'release-bot', machine: 'builder' });
    expect(await ask('/agents', { role: 'releases' }, fixed)).toMatchObject({
      status: 200,
      agent_id: 'release-bot',
      machine_id: 'builder',
    });
    expect(await ask('/agents', { role: 'releases', machine: 'elsewhere' }, fixed)).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
    expect(await ask('/agents/inbox', {}, fixed)).toMatchObject({ status: 200, agent_id: 'release-bot' });
    const open = await tokenOf({});
    expect(await ask('/agents', { role: 'helper' }, open)).toMatchObject({ agent_id: 'elsewhere-helper' });
    expect(await app.rows('select agent_id, client, machine_id from agents order by agent_id')).toEqual([
      { agent_id: 'elsewhere-helper', client: 'somebody-else', machine_id: 'elsewhere' },
      { agent_id: 'release-bot', client: 'release-bot', machine_id: 'builder' },
    ]);
  } finally {
    await http.close();
  }
});
