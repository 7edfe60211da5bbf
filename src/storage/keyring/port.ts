// Master keys: what wraps the keys of vaults and of the token signer. Where they are kept is the adapter's business.

export interface MasterKey {
  /** Not secret: says which key wrapped something. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/**
 * Errors of all: `unavailable` where the place cannot be reached or is locked, `config_invalid` where it is set up wrongly,
 * with what to do; never with key material.
 */
export interface KeyRing {
  /** Where the keys are, for people: `file /.../keys/master.json`. */
  readonly place: string;
  /** The key that wraps from now on. Makes the first one where the place allows it. */
  current(): Promise<MasterKey>;
  /** A key that wrapped something earlier; undefined where this place does not have it. */
  find(id: string): Promise<MasterKey | undefined>;
  /** Makes a new current key and keeps the earlier ones. `invalid_input` where a person has to bring the new key. */
  rotate(): Promise<MasterKey>;
}
