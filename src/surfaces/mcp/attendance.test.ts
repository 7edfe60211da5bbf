// Connected clients count as being there, the others do not.
import { expect, test, vi } from 'vitest';
import { contextOf, openApp } from '../../../test/support/open-app.ts';
import { attend } from './attendance.ts';

const ADA = { user: 'ada', session: 'ses_a', agent: 'coder', transport: 'stdio' } as const;
const VIEWER = { user: 'ada', session: 'ses_v', agent: 'viewer' };
const HOUR_MS = 3_600_000;

test('the agent of a connected session is there, though it calls nothing; no call is told of it', async () => {
  await using app = await openApp();
  await app.call('register_agent', { role: 'coder' }, ADA);
  app.clock.advance(HOUR_MS);
  const one = async () => (await app.call('get_agent_roster', {}, VIEWER)).agents[0];
  expect(await one()).toMatchObject({ status: 'offline' });
  await app.runtime.stillHere(contextOf('test-machine', ADA));
  expect(await one()).toMatchObject({ status: 'active', last_seen_at: new Date(app.clock.now()).toISOString() });
  expect(await app.rows('select last_call from agent_presence')).toEqual([{ last_call: 'register_agent' }]);
  // Nobody else's session says so.
  app.clock.advance(HOUR_MS);
  await app.runtime.stillHere(contextOf('test-machine', { ...ADA, user: 'bob' }));
  expect(await one()).toMatchObject({ status: 'offline' });
});

test('it is said for the session that called last, while it is connected', async () => {
  const said: string[] = [];
  let connected = false;
  const caller = (session_name: string) => ({ ...contextOf('m', { session: session_name }), session_name });
  const attendance = attend(
    {
      async stillHere({ session }) {
        said.push(session.key);
      },
    },
    () => connected,
    2,
  );
  try {
    let asked = 0;
    const count = attend({ stillHere: async () => void asked++ }, () => true, 2);
    attendance.note(caller('first'));
    count.note(caller('other'));
    // The one that is connected is heard of meanwhile, so the other would have been.
    await vi.waitFor(() => expect(asked).toBeGreaterThan(3));
    count.stop();
    expect(said).toEqual([]);
    connected = true;
    await vi.waitFor(() => expect(said).toContain('first'));
    attendance.note(caller('second'));
    await vi.waitFor(() => expect(said.at(-1)).toBe('second'));
  } finally {
    attendance.stop();
  }
});
