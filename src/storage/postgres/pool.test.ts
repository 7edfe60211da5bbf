// What the driver makes of our settings: a password that is given apart from the URL has to reach the server.
import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { clientConfig } from './pool.ts';

const passwordFor = (url: string, password?: string): string | null =>
  new pg.Client(clientConfig({ url, password })).password ?? null;

describe('the password', () => {
  it('is the one given apart, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (password) => {
        expect(passwordFor('postgres://user@127.0.0.1:5432/db', password)).toBe(password);
      }),
    );
  });

  it('is the one of the URL where both are given', () => {
    expect(passwordFor('postgres://user:inside@127.0.0.1:5432/db', 'apart')).toBe('inside');
  });
});
