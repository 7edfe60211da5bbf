// Operations on tokens, in the order they are listed.
import { createToken } from './create-token.ts';
import { listTokens } from './list-tokens.ts';
import { revokeToken } from './revoke-token.ts';
import { rotateTokenKey } from './rotate-token-key.ts';

export const identityOperations = [createToken, listTokens, revokeToken, rotateTokenKey] as const;
