// Whom the configuration takes at their word, as the doctor tells it.
import { expect, test } from 'vitest';
import { checkTrust } from './trust.ts';

const QUIET = { host: '127.0.0.1', trust_loopback: true, issuers: [] };

test('an issuer without a prefix is a warning with its name and no credentials, one with a prefix is none', () => {
  const password = crypto.randomUUID();
  const issuers = [
    { issuer: `https://hub:${password}@login.example.org/realm`, user_prefix: '' },
    { issuer: 'https://other.example.org', user_prefix: 'other:' },
  ];
  const checks = checkTrust({ ...QUIET, issuers });
  expect(checks).toMatchObject([
    {
      name: 'issuer',
      status: 'degraded',
      detail: expect.stringContaining('https://login.example.org/realm'),
      fix: expect.stringContaining('user_prefix'),
    },
  ]);
  expect(JSON.stringify(checks)).not.toContain(password);
});

test.each(['127.0.0.1', '127.8.8.8', 'localhost', '::1'])('a hub on %s alone is nothing to tell', (host) => {
  expect(checkTrust({ ...QUIET, host })).toEqual([]);
});

test.each(['0.0.0.0', '::', '192.168.1.7', '100.64.0.7', 'hub.example.org'])('on %s, local users are', (host) => {
  expect(checkTrust({ ...QUIET, host })).toEqual([
    { name: 'loopback', status: 'ok', detail: expect.stringMatching(/local user.+owner.+trust_loopback/) },
  ]);
  expect(checkTrust({ ...QUIET, host, trust_loopback: false })).toEqual([]);
});
