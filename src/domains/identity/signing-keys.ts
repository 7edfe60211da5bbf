// Keys that sign the hub's tokens: Ed25519, made with the first token, the private half sealed under the master key.
// All hubs of a store share them. Verifying reads the public half alone. Sources: RFC 8037 (Ed25519 in JOSE), RFC 7638.
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import { toIso } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { Principal } from '../../kernel/operation.ts';
import { seal, unseal } from '../../kernel/sealing.ts';
import type { Database, Trx } from '../../storage/database.ts';
import { wrappingKey } from '../../storage/keyring/named-keys.ts';
import type { KeyRing, MasterKey } from '../../storage/keyring/port.ts';
import type { Audit, AuditTables } from '../audit/index.ts';
import type { SigningKeyTable, TokenTables } from './token-tables.ts';

export const SIGNING_ALGORITHM = 'EdDSA';

/** Keys in memory, imported; a hub has a handful. */
const IMPORTED_KEYS_MAX_COUNT = 50;

export interface SigningKeysDeps {
  readonly store: Database<TokenTables & AuditTables>;
  readonly keyring: KeyRing;
  readonly audit: Audit;
}

export interface SigningKey {
  readonly key_id: string;
  readonly key: CryptoKey;
}

export interface Rotation {
  readonly key_id: string;
  /** Earlier keys that verify on. */
  readonly verifying_key_ids: readonly string[];
  readonly revoked_tokens: number;
}

export interface SigningKeys {
  /** The key that signs now; makes the first one. Errors: those of the key ring, `unavailable` without its master key. */
  current(actor: Principal): Promise<SigningKey>;
  /** The public key of this id, as the store has it at this moment; undefined where it verifies nothing (any more). */
  verifying(key_id: string): Promise<CryptoKey | undefined>;
  /** Public keys that verify, as JWKs, newest first. */
  published(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /**
   * Makes a new current key. The earlier ones verify on for as long as tokens they signed may live, unless `revoke_old`
   * ends them and every token there is. Their private halves are destroyed in both cases. Errors: `unavailable` without
   * the master keys of vaults, unless `revoke_old`.
   */
  rotate(actor: Principal, revoke_old: boolean): Promise<Rotation>;
}

type KeyTrx = Trx<TokenTables & AuditTables>;

export function createSigningKeys({ store, keyring, audit }: SigningKeysDeps): SigningKeys {
  const imported = new LRUCache<string, CryptoKey>({ max: IMPORTED_KEYS_MAX_COUNT });

  /** A retired key is of no use once every token it can have signed has ended. */
  const verifiesFrom = () => toIso(store.clock.now() - limits.token_life_max_ms);

  return {
    async current(actor) {
      const known = await newest(store.db);
      if (known) return openKey(keyring, known);
      const fresh = await makeKey(await wrappingKey(store, keyring));
      const row = await store.write(async (trx) => {
        // Another process may have made the first one meanwhile.
        const earlier = await newest(trx);
        if (earlier) return earlier;
        return add(trx, audit, actor, { ...fresh, created_at: toIso(store.clock.now()) });
      });
      return openKey(keyring, row);
    },

    async verifying(key_id) {
      const row = await store.db
        .selectFrom('signing_keys')
        .select(['public_jwk', 'retired_at'])
        .where('key_id', '=', key_id)
        .executeTakeFirst();
      if (!row || (row.retired_at !== null && row.retired_at <= verifiesFrom())) return undefined;
      const known = imported.get(row.public_jwk);
      if (known) return known;
      const key = (await importJWK(JSON.parse(row.public_jwk) as JWK, SIGNING_ALGORITHM)) as CryptoKey;
      imported.set(row.public_jwk, key);
      return key;
    },

    async published() {
      const rows = await store.db
        .selectFrom('signing_keys')
        .select(['key_id', 'public_jwk'])
        .where((eb) => eb.or([eb('retired_at', 'is', null), eb('retired_at', '>', verifiesFrom())]))
        .orderBy('created_at', 'desc')
        .orderBy('key_id')
        .execute();
      return rows.map(({ key_id, public_jwk }) => ({
        ...(JSON.parse(public_jwk) as Record<string, unknown>),
        kid: key_id,
        alg: SIGNING_ALGORITHM,
        use: 'sig',
      }));
    },

    async rotate(actor, revoke_old) {
      const fresh = await makeKey(
        // To end everything is how a hub whose master key is lost begins anew.
        revoke_old ? await keyring.current() : await wrappingKey(store, keyring, { replaces_signing_key: true }),
      );
      return store.write(async (trx) => {
        const now = toIso(store.clock.now());
        await retireAll(trx, now);
        const gone = trx.deleteFrom('signing_keys');
        await (revoke_old ? gone : gone.where('retired_at', '<=', verifiesFrom())).execute();
        const verifying = await trx.selectFrom('signing_keys').select('key_id').execute();
        const revoked_tokens = revoke_old ? await revokeAll(trx, actor, now) : 0;
        await add(trx, audit, actor, { ...fresh, created_at: now }, { revoke_old, revoked_tokens });
        return { key_id: fresh.key_id, verifying_key_ids: verifying.map(({ key_id }) => key_id), revoked_tokens };
      });
    },
  };
}

async function makeKey(master: MasterKey): Promise<Omit<SigningKeyTable, 'created_at'>> {
  const { publicKey, privateKey } = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
  const public_jwk = await exportJWK(publicKey);
  const key_id = await calculateJwkThumbprint(public_jwk);
  const plain = Buffer.from(JSON.stringify(await exportJWK(privateKey)));
  const wrapped = seal(master.key, plain, boundTo(key_id));
  plain.fill(0);
  return {
    key_id,
    public_jwk: JSON.stringify(public_jwk),
    master_key_id: master.id,
    wrapped,
    retired_at: null,
  };
}

async function openKey(keyring: KeyRing, row: SigningKeyTable): Promise<SigningKey> {
  const master = await keyring.find(row.master_key_id);
  if (!master)
    throw failure(
      'unavailable',
      `The key that signs tokens is sealed under a master key that ${keyring.place} does not have.`,
      'Bring that key back, or make a new signing key with `haivemind token rotate-key`.',
    );
  const plain = unseal(master.key, row.wrapped, boundTo(row.key_id));
  const key = await importJWK(JSON.parse(plain.toString('utf8')) as JWK, SIGNING_ALGORITHM);
  plain.fill(0);
  return { key_id: row.key_id, key: key as CryptoKey };
}

function newest(db: Pick<KeyTrx, 'selectFrom'>): Promise<SigningKeyTable | undefined> {
  return db
    .selectFrom('signing_keys')
    .selectAll()
    .where('retired_at', 'is', null)
    .orderBy('created_at', 'desc')
    .orderBy('key_id')
    .limit(1)
    .executeTakeFirst();
}

async function add(
  trx: KeyTrx,
  audit: Audit,
  actor: Principal,
  row: SigningKeyTable,
  details: Readonly<Record<string, string | number | boolean>> = {},
): Promise<SigningKeyTable> {
  await trx.insertInto('signing_keys').values(row).execute();
  await audit.append(trx, actor, {
    action: 'token.key',
    target_type: 'token',
    target_id: row.key_id,
    result: 'ok',
    details: { master_key_id: row.master_key_id, ...details },
  });
  return row;
}

async function retireAll(trx: KeyTrx, retired_at: string): Promise<void> {
  await trx
    .updateTable('signing_keys')
    .set({ retired_at, wrapped: Buffer.alloc(0) })
    .where('retired_at', 'is', null)
    .execute();
}

async function revokeAll(trx: KeyTrx, actor: Principal, now: string): Promise<number> {
  const ended = await trx
    .updateTable('tokens')
    .set({ revoked_at: now, revoked_by: actor.user_id })
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return Number(ended.numUpdatedRows);
}

function boundTo(key_id: string): readonly string[] {
  return ['signing-key', key_id];
}
