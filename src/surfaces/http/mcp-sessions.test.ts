import { afterEach, describe, expect, it } from 'vitest';
import { virtualClock } from '../../kernel/clock.ts';
import { createMcpSessions, type McpSession, type McpSessions } from './mcp-sessions.ts';

let sessions: McpSessions<McpSession>;
afterEach(() => sessions.closeAll());

const closed: string[] = [];
function session(session_id: string, owner = 'ann'): McpSession {
  return { session_id, owner, close: async () => void closed.push(session_id) };
}

describe('createMcpSessions', () => {
  it('pushes out the least recently used of the same owner when there are too many', () => {
    const clock = virtualClock();
    sessions = createMcpSessions(clock, { max_count: 2, idle_ms: 1_000_000 });
    sessions.add(session('other', 'bob'));
    for (const id of ['a', 'b']) {
      clock.advance(1);
      sessions.add(session(id));
    }
    clock.advance(1);
    sessions.get('a');
    expect(sessions.add(session('c'))).toBe(true);
    expect(closed).toEqual(['b']);
    expect(sessions.get('other')).toBeDefined();
    expect(sessions.size).toBe(3);
  });

  it('refuses another one where all are in use', () => {
    sessions = createMcpSessions(virtualClock(), { max_count: 1, idle_ms: 1_000 });
    sessions.add(session('busy'));
    const done = sessions.use('busy');
    expect(sessions.add(session('late'))).toBe(false);
    done();
    done();
    expect(sessions.add(session('later'))).toBe(true);
  });

  it('ends idle sessions, but none with an open stream', () => {
    const clock = virtualClock();
    sessions = createMcpSessions(clock, { max_count: 10, idle_ms: 1_000 });
    sessions.add(session('idle'));
    sessions.add(session('streaming'));
    sessions.use('streaming');
    clock.advance(1_001);
    sessions.add(session('new'));
    expect(sessions.get('idle')).toBeUndefined();
    expect(sessions.get('streaming')).toBeDefined();
    expect(closed).toContain('idle');
  });
});
