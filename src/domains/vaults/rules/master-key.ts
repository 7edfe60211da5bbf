// A new master key: whatever an earlier one wraps is wrapped again, in small transactions that can be interrupted anywhere.
import type { Principal } from '../../../kernel/operation.ts';
import { seal, unseal } from '../../../kernel/sealing.ts';
import type { KeyRing, MasterKey } from '../../../storage/keyring/port.ts';
import type { VaultDeps, VaultTrx } from '../deps.ts';
import { masterKeyMissing } from '../errors.ts';

/** Keys wrapped again in one commit. */
const BATCH_COUNT = 100;

export interface MasterRotation {
  readonly master_key_id: string;
  readonly vault_keys: number;
  readonly signing_keys: number;
}

/** The keys of the token signer are another domain's; only their wrapping is changed here. */
interface SigningKeyColumns {
  readonly key_id: string;
  readonly master_key_id: string;
  readonly wrapped: Uint8Array;
  readonly retired_at: string | null;
}

interface Rewrapped {
  readonly master_key_id: string;
  readonly wrapped: Uint8Array;
}

/** Errors: those of the key ring, `unavailable` where an earlier master key is missing, `storage_corrupt`. */
export async function rewrapAll(deps: VaultDeps, principal: Principal): Promise<MasterRotation> {
  const master = await deps.keyring.current();
  const vault_keys = await batches(deps, principal, master, vaultKeyBatch);
  const signing_keys = await batches(deps, principal, master, signingKeyBatch);
  const report = { master_key_id: master.id, vault_keys, signing_keys };
  await deps.audit.record(principal, {
    action: 'vault.rotate_master_key',
    target_type: 'hub',
    target_id: null,
    result: 'ok',
    details: report,
  });
  return report;
}

/** Wraps up to BATCH_COUNT rows again; returns what writes them, row by row. */
type Batch = (deps: VaultDeps, master: MasterKey) => Promise<((trx: VaultTrx) => Promise<unknown>)[]>;

async function batches(deps: VaultDeps, principal: Principal, master: MasterKey, next: Batch): Promise<number> {
  let count = 0;
  for (;;) {
    const writes = await next(deps, master);
    if (writes.length === 0) return count;
    await deps.store.write(async (trx) => {
      for (const write of writes) await write(trx);
      await deps.audit.append(trx, principal, {
        action: 'vault.rewrap_keys',
        target_type: 'hub',
        target_id: null,
        result: 'ok',
        details: { master_key_id: master.id, keys: writes.length },
      });
    });
    count += writes.length;
  }
}

const vaultKeyBatch: Batch = async ({ store, keys }, master) => {
  const rows = await store.db
    .selectFrom('vault_keys')
    .selectAll()
    .where('master_key_id', '!=', master.id)
    .orderBy('vault_id')
    .orderBy('epoch')
    .limit(BATCH_COUNT)
    .execute();
  return Promise.all(
    rows.map(async (row) => {
      const { master_key_id, wrapped } = await keys.rewrap(row, master);
      return (trx: VaultTrx) =>
        trx
          .updateTable('vault_keys')
          .set({ master_key_id, wrapped })
          .where('vault_id', '=', row.vault_id)
          .where('epoch', '=', row.epoch)
          .where('master_key_id', '=', row.master_key_id)
          .execute();
    }),
  );
};

const signingKeyBatch: Batch = async (deps, master) => {
  const { db } = deps.store.withTables<{ signing_keys: SigningKeyColumns }>();
  const rows = await db
    .selectFrom('signing_keys')
    .select(['key_id', 'master_key_id', 'wrapped'])
    .where('master_key_id', '!=', master.id)
    // Of a retired one nothing is left to wrap.
    .where('retired_at', 'is', null)
    .orderBy('key_id')
    .limit(BATCH_COUNT)
    .execute();
  return Promise.all(
    rows.map(async (row) => {
      const again = await rewrapSigningKey(deps.keyring, row, master);
      return (trx: VaultTrx) =>
        trx
          .withTables<{ signing_keys: SigningKeyColumns }>()
          .updateTable('signing_keys')
          .set(again)
          .where('key_id', '=', row.key_id)
          .where('master_key_id', '=', row.master_key_id)
          // Retired meanwhile, its private half must not come back.
          .where('retired_at', 'is', null)
          .execute();
    }),
  );
};

/** Bound as in identity/signing-keys.ts: a test rotates and then signs. */
async function rewrapSigningKey(
  keyring: KeyRing,
  row: Omit<SigningKeyColumns, 'retired_at'>,
  master: MasterKey,
): Promise<Rewrapped> {
  const earlier = await keyring.find(row.master_key_id);
  if (!earlier) throw masterKeyMissing(row.master_key_id, keyring.place);
  const bound = ['signing-key', row.key_id];
  return { master_key_id: master.id, wrapped: seal(master.key, unseal(earlier.key, row.wrapped, bound), bound) };
}
