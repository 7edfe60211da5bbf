// Tokens a test gives and takes back, for the surfaces, which only ask whether one is accepted and whose it is.
import { randomBytes } from 'node:crypto';
import { failure } from '../../src/kernel/errors.ts';
import type { Permission } from '../../src/kernel/operation.ts';
import type { Identities, Identity, TurnedAway } from '../../src/surfaces/runtime.ts';

export interface TokenBook {
  readonly identities: Identities;
  /** What was turned away so far. */
  readonly away: TurnedAway[];
  /** A token of this user; further fields fix what they name. */
  give(user_id: string, more?: TokenFields): string;
  revoke(token: string): void;
}

interface TokenFields extends Partial<Pick<Identity, 'agent_id' | 'machine_id'>> {
  readonly scopes?: readonly Permission[];
  readonly admin?: boolean;
}

export function tokenBook(more: Partial<Identities> = {}): TokenBook {
  const book = new Map<string, Identity>();
  const away: TurnedAway[] = [];
  return {
    away,
    identities: {
      async bearer(token) {
        const identity = book.get(token);
        if (identity) return identity;
        throw failure('unauthenticated', 'The token is not "accepted" any more.', 'Get another one.');
      },
      peer: async () => undefined,
      jwks: async () => ({ keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'k1' }] }),
      issuers: [],
      public_url: undefined,
      turnedAway: async (what) => void away.push(what),
      ...more,
    },
    give(user_id, { scopes, admin = false, ...fixed } = {}) {
      const token = randomBytes(24).toString('base64url');
      const credential_id = `jti_${book.size}`;
      const credential = { kind: 'token', admin, credential_id, ...(scopes ? { scopes } : {}) } as const;
      book.set(token, { user_id, ...fixed, credential });
      return token;
    },
    revoke: (token) => void book.delete(token),
  };
}
