// The vault domain put together: what its operations, the command line and compose.ts work with.
import { failure } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/operation.ts';
import { masterKeysMissing, namedKeys } from '../../storage/keyring/named-keys.ts';
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
      const vault_id = vaultNamed(await allVaults(principal), wanted, principal);
      return (await retrieveSecret(deps, principal, { vault_id, key, audit_reason })).value;
    },
    purge: (principal) => purgeDeleted(deps, principal),
    async rotateMasterKey(principal, { resume = false } = {}) {
      // Asked before there is a new key: it would wrap nothing, and stay.
      const { missing } = await namedKeys(store, keyring);
      if (missing.length > 0) throw masterKeysMissing(missing, keyring.place);
      if (!resume) await keyring.rotate();
      return rewrapAll(deps, principal);
    },
  };
}

/** An id before a name, and one's own vaults before others': whoever shares one of the same name must not be in the way. */
function vaultNamed(usable: readonly UsableVault[], wanted: string, { user_id }: Principal): string {
  const all = usable.map(({ vault }) => vault);
  if (all.some(({ vault_id }) => vault_id === wanted)) return wanted;
  const named = all.filter(({ name }) => name === wanted);
  const own = named.filter((vault) => vault.user_id === user_id);
  const [found, other] = own.length > 0 ? own : named;
  if (!found) throw vaultNotFound(wanted);
  if (other) throw failure('conflict', `Several vaults are called ${wanted}.`, 'Use the vault_id in its place.');
  return found.vault_id;
}
