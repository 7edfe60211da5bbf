// A version of a secret in its sealed form: value and metadata, each bound to vault, key and version.
import { failure } from '../../kernel/errors.ts';
import { seal, unseal } from '../../kernel/sealing.ts';

export type Metadata = Readonly<Record<string, unknown>>;

export interface SecretPlace {
  readonly vault_id: string;
  readonly key: string;
  readonly version: number;
}

export interface SealedSecret {
  readonly sealed: Uint8Array;
  readonly sealed_metadata: Uint8Array;
}

/** A data key as rules use it: its bytes stay with whoever unwrapped it. */
export interface DataKey {
  seal(place: SecretPlace, value: string, metadata: Metadata): SealedSecret;
  /** Throws `storage_corrupt` where either part was changed, moved or sealed with another key. */
  open(place: SecretPlace, row: SealedSecret): { readonly value: string; readonly metadata: Metadata };
}

export function dataKeyOf(bytes: Uint8Array): DataKey {
  return {
    seal: (place, value, metadata) => sealSecret(bytes, place, value, metadata),
    open: (place, row) => openSecret(bytes, place, row),
  };
}

function sealSecret(data_key: Uint8Array, place: SecretPlace, value: string, metadata: Metadata): SealedSecret {
  return {
    sealed: seal(data_key, Buffer.from(value, 'utf8'), boundTo('vault-secret', place)),
    sealed_metadata: seal(data_key, Buffer.from(JSON.stringify(metadata), 'utf8'), boundTo('vault-metadata', place)),
  };
}

function openSecret(
  data_key: Uint8Array,
  place: SecretPlace,
  row: SealedSecret,
): { readonly value: string; readonly metadata: Metadata } {
  try {
    const value = unseal(data_key, row.sealed, boundTo('vault-secret', place)).toString('utf8');
    const metadata = unseal(data_key, row.sealed_metadata, boundTo('vault-metadata', place)).toString('utf8');
    return { value, metadata: JSON.parse(metadata) as Metadata };
  } catch (cause) {
    throw failure(
      'storage_corrupt',
      `Version ${place.version} of secret ${place.key} in vault ${place.vault_id} does not open: it was changed or moved.`,
      'Restore the store from a backup, or store the value again. Look at the audit log for who was there.',
      { cause, details: { ...place } },
    );
  }
}

function boundTo(kind: string, { vault_id, key, version }: SecretPlace) {
  return [kind, vault_id, key, version] as const;
}
