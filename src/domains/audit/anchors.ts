// Anchors: the end of the log in a file that is kept elsewhere, signed by the hub as a compact JWS (RFC 7515, EdDSA).
import { CompactSign, type CryptoKey, compactVerify, decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { failure, HaivemindError } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { AuditAnchor } from './types.ts';

/** The hub's signing keys, as identity has them. */
export interface AnchorKeys {
  current(actor: Principal): Promise<{ readonly key_id: string; readonly key: CryptoKey }>;
  verifying(key_id: string): Promise<CryptoKey | undefined>;
}

/** In the signed header: no anchor passes for a token, and no token for an anchor. */
const TYPE = 'haivemind-anchor';

const anchorFile = z.object({
  store_id: z.string(),
  seq: z.number().int().min(0),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.string(),
  signature: z.string().nullish(),
});

export type AnchorFile = z.output<typeof anchorFile>;
export type SignatureState = 'valid' | 'wrong' | 'absent' | 'key_unknown';

/** Throws `invalid_input`. */
export function parseAnchor(text: string): AnchorFile {
  try {
    return anchorFile.parse(JSON.parse(text));
  } catch (cause) {
    throw failure(
      'invalid_input',
      'anchor is not what `haivemind audit anchor` writes.',
      'Give the JSON of that command as it is: store_id, seq, hash, at and signature.',
      { cause },
    );
  }
}

/** Undefined where the hub's key ring gives no key at the moment: an anchor without a signature is one all the same. */
export async function signerOf(keys: AnchorKeys, actor: Principal) {
  try {
    const { key_id, key } = await keys.current(actor);
    return (anchor: AuditAnchor) =>
      new CompactSign(payloadOf(anchor)).setProtectedHeader({ alg: 'EdDSA', kid: key_id, typ: TYPE }).sign(key);
  } catch (error) {
    if (error instanceof HaivemindError) return undefined;
    throw error;
  }
}

export async function checkSignature(keys: AnchorKeys, anchor: AnchorFile): Promise<SignatureState> {
  if (!anchor.signature) return 'absent';
  try {
    const { kid, typ } = decodeProtectedHeader(anchor.signature);
    if (typ !== TYPE || typeof kid !== 'string') return 'wrong';
    const key = await keys.verifying(kid);
    if (!key) return 'key_unknown';
    const { payload } = await compactVerify(anchor.signature, key, { algorithms: ['EdDSA'] });
    return Buffer.from(payload).equals(payloadOf(anchor)) ? 'valid' : 'wrong';
  } catch (error) {
    if (error instanceof HaivemindError) throw error;
    return 'wrong';
  }
}

function payloadOf({ store_id, seq, hash, at }: AuditAnchor): Buffer {
  return Buffer.from(JSON.stringify([store_id, seq, hash, at]));
}
