// What encryption costs a secret: store and retrieve with their audit rows, sealed against the same path with plain bytes.
// Same rows, same transactions, same run, turn by turn. Aim: at most twice the time. Run: node bench/vaults/run.ts [count]
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditTables, createAudit } from '../../src/domains/audit/index.ts';
import type { DataKeys } from '../../src/domains/vaults/data-keys.ts';
import type { VaultDeps } from '../../src/domains/vaults/deps.ts';
import { createVault } from '../../src/domains/vaults/rules/create.ts';
import { retrieveSecret, storeSecret } from '../../src/domains/vaults/rules/secrets.ts';
import type { DataKey } from '../../src/domains/vaults/sealed-secret.ts';
import { createVaults } from '../../src/domains/vaults/service.ts';
import type { VaultTables } from '../../src/domains/vaults/tables.ts';
import type { Principal } from '../../src/kernel/operation.ts';
import { openDatabase } from '../../src/storage/index.ts';
import { openKeyRing } from '../../src/storage/keyring/index.ts';

const AIM_RATIO = 2;
const WARMUP_COUNT = 20;
/** Sizes of values in bytes: a password, a key file, the largest that is allowed. */
const SIZES = [32, 4 * 1024, 64 * 1024] as const;

const caller: Principal = { user_id: 'bench', agent_id: 'bench', machine_id: 'bench' };

export interface VaultTimes {
  readonly bytes: number;
  readonly act: 'store' | 'retrieve';
  /** Medians. */
  readonly sealed_ms: number;
  readonly plain_ms: number;
  readonly ratio: number;
}

/** Bytes as they are. Exists in this bench only: a hub has no way to be told so. */
const plainKey: DataKey = {
  seal: (_, value, metadata) => ({
    sealed: Buffer.from(value),
    sealed_metadata: Buffer.from(JSON.stringify(metadata)),
  }),
  open: (_, row) => ({
    value: Buffer.from(row.sealed).toString('utf8'),
    metadata: JSON.parse(Buffer.from(row.sealed_metadata).toString('utf8')) as Record<string, unknown>,
  }),
};

export async function measureVaults(count: number): Promise<readonly VaultTimes[]> {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-bench-'));
  const database = await openDatabase({ data_dir, machine_id: 'bench' });
  try {
    const store = database.withTables<VaultTables & AuditTables>();
    const audit = createAudit(database.withTables<AuditTables>());
    const keyring = openKeyRing(
      { source: 'file', file: join(data_dir, 'master.json'), env: '', service: '' },
      { data_dir, env: {} },
    );
    const { deps } = createVaults({ store, audit, keyring, recovery_days: 30 });
    const keys: DataKeys = { ...deps.keys, open: async () => plainKey };
    const times: VaultTimes[] = [];
    for (const bytes of SIZES) times.push(...(await measureSize(deps, { ...deps, keys }, bytes, count)));
    return times;
  } finally {
    await database.close();
    rmSync(data_dir, { recursive: true, force: true });
  }
}

async function measureSize(
  sealed: VaultDeps,
  plain: VaultDeps,
  bytes: number,
  count: number,
): Promise<readonly VaultTimes[]> {
  const sides = await Promise.all([sealed, plain].map(async (deps) => ({ deps, vault_id: await vaultOf(deps) })));
  const store: number[][] = [[], []];
  const retrieve: number[][] = [[], []];
  for (let i = 0; i < WARMUP_COUNT + count; i++) {
    // The one that goes first changes, so that neither always follows the other's commit.
    for (const side of i % 2 === 0 ? [0, 1] : [1, 0]) {
      const { deps, vault_id } = sides[side] ?? { deps: sealed, vault_id: '' };
      const key = `key-${i % 10}`;
      const value = randomBytes(bytes / 2).toString('hex');
      const stored_ms = await timeOf(() =>
        storeSecret(deps, caller, { vault_id, key, value, metadata: { service: 'bench' } }),
      );
      let read = '';
      const retrieved_ms = await timeOf(async () => {
        read = (await retrieveSecret(deps, caller, { vault_id, key, audit_reason: 'measuring' })).value;
      });
      if (read !== value) throw new Error('A value did not come back as it was stored.');
      if (i < WARMUP_COUNT) continue;
      store[side]?.push(stored_ms);
      retrieve[side]?.push(retrieved_ms);
    }
  }
  return [timesOf('store', bytes, store), timesOf('retrieve', bytes, retrieve)];
}

async function vaultOf(deps: VaultDeps): Promise<string> {
  return (await createVault(deps, caller, { name: 'bench', vault_type: 'personal' })).vault_id;
}

async function timeOf(step: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await step();
  return performance.now() - started;
}

function timesOf(act: VaultTimes['act'], bytes: number, [sealed = [], plain = []]: number[][]): VaultTimes {
  const [sealed_ms, plain_ms] = [median(sealed), median(plain)];
  return { act, bytes, sealed_ms, plain_ms, ratio: sealed_ms / plain_ms };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (import.meta.main) {
  const count = Number(process.argv[2] ?? 300);
  if (!Number.isInteger(count) || count < 1) throw new Error('The count is a whole number from 1.');
  const times = await measureVaults(count);
  process.stdout.write(`${count} times each, medians, an SQLite file that is synchronised with every commit\n`);
  for (const { act, bytes, sealed_ms, plain_ms, ratio } of times) {
    const figures = `sealed ${sealed_ms.toFixed(2)} ms, plain ${plain_ms.toFixed(2)} ms, ratio ${ratio.toFixed(2)}`;
    process.stdout.write(`${act.padEnd(8)} ${String(bytes).padStart(5)} bytes: ${figures}\n`);
  }
  const worst = Math.max(...times.map(({ ratio }) => ratio));
  process.stdout.write(
    `worst ratio ${worst.toFixed(2)}, aim <= ${AIM_RATIO}: ${worst <= AIM_RATIO ? 'met' : 'missed'}\n`,
  );
  if (worst > AIM_RATIO) process.exitCode = 1;
}
