// Which addresses commands take for a hub elsewhere, and when they warn of sending a token there.
import { describe, expect, it } from 'vitest';
import { clientSnippet } from './connect.ts';
import { isLoopbackHost, remoteHubUrl, warnOfPlainHttp } from './remote-hub.ts';

describe('HAIVEMIND_URL', () => {
  it.each([
    ['https://hub.example', 'https://hub.example'],
    ['https://hub.example/', 'https://hub.example'],
    ['http://192.0.2.7:8900/mcp', 'http://192.0.2.7:8900'],
    ['https://example.org/memory/', 'https://example.org/memory'],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s', (HAIVEMIND_URL, expected) => {
    expect(remoteHubUrl({ HAIVEMIND_URL })).toBe(expected);
  });

  it.each([
    'hub.example',
    'ftp://hub.example',
    'https://me:hunter@hub.example',
    'https://hub.example?access_token=hunter',
  ])('%s is refused without being repeated', (HAIVEMIND_URL) => {
    expect(() => remoteHubUrl({ HAIVEMIND_URL })).toThrow(/^HAIVEMIND_URL is not the address of a hub\.$/);
  });
});

describe('a token over plain http', () => {
  const said = (url: string, env: Record<string, string> = { HAIVEMIND_TOKEN: 'made-up' }): string => {
    let text = '';
    const write = (more: string): void => {
      text += more;
    };
    const stderr = { write, isTTY: false, columns: 80 };
    warnOfPlainHttp(url, { env, stderr });
    return text;
  };

  it.each(['http://192.0.2.7:8900', 'http://hub.example', 'http://100.128.0.1:8900', 'http://[fd00::1]:8900'])(
    'is warned of at %s',
    (url) => {
      expect(said(url)).toContain('plain http');
      expect(said(url)).not.toContain('made-up');
      expect(said(url, {})).toBe('');
      expect(said(url, { HAIVEMIND_TOKEN: 'made-up', HAIVEMIND_ALLOW_HTTP: '1' })).toBe('');
    },
  );

  it.each([
    'https://hub.example',
    'http://localhost:8900',
    'http://127.0.0.1:8900',
    'http://[::1]:8900',
    'http://hub.tail1234.ts.net:8900',
    'http://100.100.1.2:8900',
    'http://[fd7a:115c:a1e0::1]:8900',
  ])('is as good as encrypted, or stays here, at %s', (url) => {
    expect(said(url)).toBe('');
  });
});

it('tells clients of a hub elsewhere to send a token', () => {
  const here = { node: '/n', entry: '/e', url: 'http://127.0.0.1:8900' };
  const there = { ...here, url: 'https://hub.example', remote: true };
  expect(clientSnippet('claude', here)).not.toContain('Bearer');
  expect(clientSnippet('claude', there)).toContain(
    'claude mcp add --transport http haivemind https://hub.example/mcp --header "Authorization: Bearer <token>"',
  );
  for (const client of ['http', 'cursor'])
    expect(clientSnippet(client, there)).toContain('"Authorization": "Bearer <token>"');
  expect(isLoopbackHost('127.0.0.1.example')).toBe(false);
});
