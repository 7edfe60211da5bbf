// Leases in the store: never two valid holders and growing tokens, whatever happens in which order, on both engines.
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshDatabase, type PostgresServer, startPostgres } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { type LeaseRoom, openLeaseRoom } from '../../../test/support/coordination.ts';
import { virtualClock } from '../../kernel/clock.ts';
import { createStoreLeases } from './leases.ts';
import type { Lease } from './port.ts';

describe('on SQLite', () => leaseSuite(() => openLeaseRoom(), 200));
describeEngine('postgres', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  leaseSuite(async () => openLeaseRoom((await freshDatabase(server.url)).url), 50);
});

const MEMBERS = ['a', 'b', 'c'] as const;
const TTL_MS = 1_000;

type Step =
  | { readonly kind: 'acquire' | 'renew' | 'release'; readonly member: number }
  | { readonly kind: 'race' }
  | { readonly kind: 'pass'; readonly ms: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('acquire', 'renew', 'release'), member: fc.nat(MEMBERS.length - 1) }),
    fc.record({ kind: fc.constant('race' as const) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 2 * TTL_MS }) }),
  ),
  { maxLength: 25 },
);

function leaseSuite(open: () => Promise<LeaseRoom>, runs: number): void {
  let room: LeaseRoom;
  beforeAll(async () => {
    room = await open();
  });
  afterAll(() => room[Symbol.asyncDispose]());

  test('never two valid holders; every holder has a greater token than all before', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const clock = virtualClock();
        const name = randomUUID();
        const stores = MEMBERS.map((member_id) => createStoreLeases({ write: room.write, clock, member_id }));
        const leases: (Lease | undefined)[] = [];
        const everyLease: Lease[] = [];
        const take = async (member: number): Promise<void> => {
          const lease = await stores[member]!.acquire(name, TTL_MS);
          if (!lease) return;
          expect(lease.token).toBeGreaterThan(Math.max(0, ...everyLease.map(({ token }) => token)));
          everyLease.push(lease);
          leases[member] = lease;
        };
        for (const step of script) {
          if (step.kind === 'pass') clock.advance(step.ms);
          else if (step.kind === 'acquire') await take(step.member);
          else if (step.kind === 'race') await Promise.all(MEMBERS.map((_, member) => take(member)));
          else if (step.kind === 'renew') await leases[step.member]?.renew();
          else await leases[step.member]?.release();
          expect(everyLease.filter((lease) => lease.held()).length).toBeLessThanOrEqual(1);
        }
        // Nothing stays locked: after its time somebody can have it.
        clock.advance(TTL_MS);
        const before = everyLease.length;
        await take(0);
        expect(everyLease).toHaveLength(before + 1);
      }),
      { numRuns: runs },
    );
  });

  test('a lease that ran out can be renewed only while nobody has taken it', async () => {
    const clock = virtualClock();
    const [a, b] = ['a', 'b'].map((member_id) => createStoreLeases({ write: room.write, clock, member_id }));
    const name = randomUUID();
    const lease = await a!.acquire(name, TTL_MS);
    clock.advance(5 * TTL_MS);
    expect(lease?.held()).toBe(false);
    expect(await lease?.renew()).toBe(true);
    expect(lease?.held()).toBe(true);
    expect(await b!.acquire(name, TTL_MS)).toBeUndefined();
    clock.advance(TTL_MS);
    const other = await b!.acquire(name, TTL_MS);
    expect(other?.token).toBe(2);
    expect(await lease?.renew()).toBe(false);
    expect(other?.held()).toBe(true);
  });

  test('leases of different names do not meet', async () => {
    const leases = createStoreLeases({ write: room.write, clock: virtualClock(), member_id: 'a' });
    const [first, second] = [await leases.acquire(randomUUID(), TTL_MS), await leases.acquire(randomUUID(), TTL_MS)];
    expect([first?.token, second?.token]).toEqual([1, 1]);
  });
}
