// What the driver makes of our settings: a password that is given apart from the URL has to reach the server.
import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { toErrorBody } from '../../kernel/errors.ts';
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

describe('the authority', () => {
  const ca = 'PEM';
  const tlsFor = (url: string) => new pg.Client(clientConfig({ url, ca })).ssl;

  it.each([
    '',
    '?sslmode=verify-full',
    '?sslmode=require',
    '?sslmode=disable',
    '?ssl=true',
    '?ssl=0&application_name=x',
  ])('is what the server is checked by, whatever else the URL says: %s', (parameters) => {
    expect(tlsFor(`postgres://user@db.example/db${parameters}`)).toEqual({ ca });
  });
});

describe('a password that is not written as a URL wants it', () => {
  it.each(['/', '#', '/x#y'])('is refused before a part of it is taken for host or database: %s', (special) => {
    const secret = `a@${crypto.randomUUID()}${special}${crypto.randomUUID()}`;
    const said = (() => {
      try {
        clientConfig({ url: `postgres://user:${secret}@db.example:5432/db` });
        return undefined;
      } catch (error) {
        return toErrorBody(error);
      }
    })();
    expect(said).toMatchObject({ code: 'config_invalid' });
    for (const part of secret.split(/[@/#]/).filter((text) => text.length > 1))
      expect(JSON.stringify(said)).not.toContain(part);
  });
});
