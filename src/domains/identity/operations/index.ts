// Operations on tokens, in the order they are listed.
import { createToken } from './create_token.ts';
import { listTokens } from './list_tokens.ts';
import { revokeToken } from './revoke_token.ts';
import { rotateTokenKey } from './rotate_token_key.ts';

export const identityOperations = [createToken, listTokens, revokeToken, rotateTokenKey] as const;
