// The edges of the ranges of a tailnet.
import { expect, test } from 'vitest';
import { isTailnet } from './tailnet.ts';

test.each(['100.64.0.0', '100.127.255.255', '::ffff:100.64.0.1', 'fd7a:115c:a1e0::', 'fd7a:115c:a1e0:ffff::1'])(
  '%j is of a tailnet',
  (address) => expect(isTailnet(address)).toBe(true),
);

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '100.63.255.255',
  '100.128.0.0',
  '::1',
  'fd7a:115c:a1e1::1',
  '',
  'x',
  '::ffff:8.8.8.8',
])('%j is not', (address) => expect(isTailnet(address)).toBe(false));
