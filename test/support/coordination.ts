// What tests of coordination share: stores on each engine, quick reconnects, and a wire that can be cut or garbled.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.ts';
import { createInProcessCoordination } from '../../src/storage/coordination/in-process.ts';
import { createStoreLeases, postgresNowMs, type StoreLeaseDeps } from '../../src/storage/coordination/leases.ts';
import type { Coordination } from '../../src/storage/coordination/port.ts';
import { openDatabase } from '../../src/storage/database.ts';

/** Reconnects soon and caches at once, so that tests need not wait for the pauses of production. */
export const quick = { retry_min_ms: 20, retry_max_ms: 100, cache_settle_ms: 0 };

export interface LeaseRoom extends AsyncDisposable {
  readonly write: StoreLeaseDeps['write'];
  /** A process on this store alone. */
  member(member_id: string): Coordination;
}

/** A store with its leases: in a file, or on the PostgreSQL of this URL. */
export async function openLeaseRoom(postgres_url?: string): Promise<LeaseRoom> {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-test-'));
  const postgres = postgres_url === undefined ? undefined : { url: postgres_url };
  const store = await openDatabase({ data_dir, machine_id: 'test-machine', synchronous: 'NORMAL', postgres });
  const write = store.write as StoreLeaseDeps['write'];
  const engine = postgres_url === undefined ? {} : { engine_now_ms: postgresNowMs };
  return {
    write,
    member(member_id) {
      const leases = createStoreLeases({ write, clock: systemClock, member_id, ...engine });
      return createInProcessCoordination({ leases, clock: systemClock, member_id });
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(data_dir, { recursive: true, force: true });
    },
  };
}

export interface Wire extends AsyncDisposable {
  readonly port: number;
  /** Ends all connections and refuses new ones. */
  cut(): void;
  /** Accepts and keeps connections, but passes nothing on: a server that hangs. */
  freeze(): void;
  heal(): void;
}

/** A way to a server on this machine. `garble` changes what the server says. */
export async function openWire(target_port: number, garble?: (text: string) => string): Promise<Wire> {
  let way: 'open' | 'cut' | 'frozen' = 'open';
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    if (way === 'cut') return near.destroy();
    const far = connect(target_port, '127.0.0.1');
    keep(far);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.on('data', (data) => {
      if (way === 'open') far.write(data);
    });
    far.on('data', (data) => {
      if (way === 'open') near.write(garble ? garble(data.toString('latin1')) : data, 'latin1');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const end = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut() {
      way = 'cut';
      end();
    },
    freeze() {
      way = 'frozen';
    },
    heal() {
      // What was held back is lost: a frozen connection cannot go on.
      if (way === 'frozen') end();
      way = 'open';
    },
    async [Symbol.asyncDispose]() {
      end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
