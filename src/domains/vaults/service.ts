// The vault domain put together: what its operations, the command line and compose.ts work with.
import { failure } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { KeyRing } from '../../storage/keyring/port.ts';
import type { VaultFacts } from '../access/index.ts';
import type { Audit } from '../audit/index.ts';
import { vaultFacts } from './access.ts';
import { createDataKeys } from './data-keys.ts';
import type { TeamVaultEvent, VaultDeps, VaultStore, VaultTrx } from './deps.ts';
import { vaultNotFound } from './errors.ts';
import { purgeDeleted } from './rules/deleting.ts';
import { listVaults, type UsableVault } from './rules/list.ts';
import { type MasterRotation, rewrapAll } from './rules/master-key.ts';
import { retrieveSecret } from './rules/secrets.ts';

export interface VaultOptions {
  readonly store: VaultStore;
  readonly audit: Audit;
  /** Touched by the first vault that is made or used, not before. */
  readonly keyring: KeyRing;
  readonly recovery_days: number;
  readonly logTeamActivity?:
    | ((trx: VaultTrx, principal: Principal, event: TeamVaultEvent) => Promise<void>)
    | undefined;
}

export interface Vaults {
  /** For the operations of this domain. */
  readonly deps: VaultDeps;
  /** What the policy looks at; undefined where there is no such vault. */
  vaultFacts(vault_id: string): Promise<VaultFacts | undefined>;
  /** All vaults the principal may use now, oldest first. */
  listVaults(principal: Principal): Promise<readonly UsableVault[]>;
  /**
   * The newest value of a secret in a vault named by its id or its name: for the hub's own settings. Errors: those of
   * retrieving, `conflict` where several vaults have that name.
   */
  readNamed(principal: Principal, vault: string, key: string, audit_reason: string): Promise<string>;
  /** Destroys secrets that were deleted longer ago than they can be brought back. Returns how many. */
  purge(principal: Principal): Promise<number>;
  /**
   * Makes a new master key (unless `resume`) and wraps with it whatever earlier ones wrap: keys of vaults and of the
   * token signer. Interrupted, it goes on when it is run again with `resume`.
   */
  rotateMasterKey(principal: Principal, how?: { readonly resume?: boolean }): Promise<MasterRotation>;
}

const PAGE_ITEMS = 500;

export function createVaults({ store, audit, keyring, recovery_days, logTeamActivity }: VaultOptions): Vaults {
  const keys = createDataKeys(keyring, store.clock);
  const deps: VaultDeps = { store, audit, keyring, keys, recovery_days, logTeamActivity };
  async function allVaults(principal: Principal): Promise<readonly UsableVault[]> {
    const all: UsableVault[] = [];
    let cursor: string | undefined;
    do {
      const page = await listVaults(deps, principal, { limit: PAGE_ITEMS, cursor });
      all.push(...page.vaults);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return all;
  }
  return {
    deps,
    vaultFacts: (vault_id) => vaultFacts(store.db, vault_id),
    listVaults: allVaults,
    async readNamed(principal, wanted, key, audit_reason) {
      const vault_id = vaultNamed(await allVaults(principal), wanted);
      return (await retrieveSecret(deps, principal, { vault_id, key, audit_reason })).value;
    },
    purge: (principal) => purgeDeleted(deps, principal),
    async rotateMasterKey(principal, { resume = false } = {}) {
      if (!resume) await keyring.rotate();
      return rewrapAll(deps, principal);
    },
  };
}

function vaultNamed(usable: readonly UsableVault[], wanted: string): string {
  const ids = usable.map(({ vault }) => vault).filter(({ vault_id, name }) => vault_id === wanted || name === wanted);
  const [found, other] = ids;
  if (!found) throw vaultNotFound(wanted);
  if (other && !ids.some(({ vault_id }) => vault_id === wanted))
    throw failure('conflict', `${ids.length} vaults are called ${wanted}.`, 'Use the vault_id in its place.');
  return ids.find(({ vault_id }) => vault_id === wanted)?.vault_id ?? found.vault_id;
}
