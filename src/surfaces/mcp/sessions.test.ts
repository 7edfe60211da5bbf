import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ID_PATTERN } from '../../kernel/ids.ts';
import { agentNameOf, type CallOrigin, resolveCaller, SESSION_META_KEY } from './sessions.ts';

const origin = (fields: Partial<CallOrigin> = {}): CallOrigin => ({
  transport: 'http',
  principalFor: (agent_id) => ({ user_id: 'ann', agent_id: agent_id ?? 'nobody', machine_id: 'here' }),
  ...fields,
});

describe('resolveCaller', () => {
  it('prefers the message, then the header, then the connection, then what it can derive', () => {
    const full = origin({ session_name: 'header', connection_id: 'connection' });
    const name = (from: CallOrigin, meta?: Record<string, unknown>): string =>
      resolveCaller(from, meta, { name: 'Cursor' }).session_name;
    expect(name(full, { [SESSION_META_KEY]: 'message' })).toBe('message');
    expect(name(full)).toBe('header');
    expect(name(origin({ connection_id: 'connection' }))).toBe('connection');
    expect(name(origin())).toMatch(/^auto_/);
    expect(resolveCaller(origin(), undefined, {}).session.derived).toBe(true);
    expect(resolveCaller(full, undefined, {}).session.derived).toBeUndefined();
  });

  it('finds the same session again from the name it gave out', () => {
    const first = resolveCaller(origin(), undefined, { name: 'Cursor', version: '1' });
    const second = resolveCaller(
      origin({ remote_address: '10.0.0.9' }),
      { [SESSION_META_KEY]: first.session_name },
      {},
    );
    expect(second.session.key).toBe(first.session.key);
  });

  it('tells users, clients and addresses apart', () => {
    const bob = origin({ principalFor: () => ({ user_id: 'bob', agent_id: 'nobody', machine_id: 'here' }) });
    const keys = [
      resolveCaller(origin(), undefined, { name: 'Cursor' }),
      resolveCaller(origin(), undefined, { name: 'Zed' }),
      resolveCaller(origin({ remote_address: '::1' }), undefined, { name: 'Cursor' }),
      resolveCaller(bob, undefined, { name: 'Cursor' }),
      resolveCaller(bob, { [SESSION_META_KEY]: 'same' }, {}),
      resolveCaller(origin(), { [SESSION_META_KEY]: 'same' }, {}),
    ].map((caller) => caller.session.key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('takes the agent from the transport before the client', () => {
    expect(resolveCaller(origin(), undefined, { name: 'Claude Code' }).principal.agent_id).toBe('claude-code');
    expect(resolveCaller(origin({ agent_id: 'ops' }), undefined, { name: 'Claude Code' }).principal.agent_id).toBe(
      'ops',
    );
  });

  it.each([7, '', 'two\nlines', 'x'.repeat(129)])('refuses %j as a session name', (value) => {
    expect(() => resolveCaller(origin(), { [SESSION_META_KEY]: value }, {})).toThrow(/session name/);
  });
});

describe('agentNameOf', () => {
  it('reads through the name a bridge adds', () => {
    expect(agentNameOf('claude-code (via mcp-remote 0.15.1)')).toBe('claude-code');
    expect(agentNameOf('Visual Studio Code')).toBe('visual-studio-code');
  });

  it('makes an id or nothing of any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const id = agentNameOf(name);
        expect(id === undefined || ID_PATTERN.test(id)).toBe(true);
      }),
    );
  });
});
