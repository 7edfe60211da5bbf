// Columns of the tables of tokens and of the keys that sign them.
export interface SigningKeyTable {
  /** Thumbprint of the public key (RFC 7638); `kid` of the tokens it signed. */
  key_id: string;
  /** Public JWK as JSON. */
  public_jwk: string;
  master_key_id: string;
  /** Private JWK, sealed under that master key; empty once retired: a retired key never signs again. */
  wrapped: Uint8Array;
  created_at: string;
  /** Since when another key signs; it verifies on until the last token it signed has ended. */
  retired_at: string | null;
}

/** Every token the hub made. Never the token itself. */
export interface TokenTable {
  jti: string;
  user_id: string;
  agent_id: string | null;
  machine_id: string | null;
  /** Permissions as JSON; null: whatever the user may do. */
  scopes: string | null;
  admin: number;
  label: string | null;
  created_at: string;
  created_by: string;
  expires_at: string;
  revoked_at: string | null;
  revoked_by: string | null;
}

export interface TokenTables {
  signing_keys: SigningKeyTable;
  tokens: TokenTable;
}
