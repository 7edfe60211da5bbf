// Events between hubs by PostgreSQL's LISTEN and NOTIFY, where there is no Redis; everything else is the fallback's.
import pg from 'pg';
import { limits } from '../../kernel/limits.ts';
import { clientConfig, type PostgresSettings, placeOf } from '../postgres/pool.ts';
import { callListener } from './in-process.ts';
import { defaultTiming, type Link, LinkAwayError, type LinkTiming, NoAnswerError, openLink } from './link.ts';
import type { Coordination, CoordinationStatus } from './port.ts';
import { createGaps, decodeEnvelope, encodeEvent, encodeGap } from './relay.ts';

export interface NotifyOptions {
  /** The store's database: hubs of one store hear each other. */
  readonly postgres: PostgresSettings;
  /** This process alone, with the store's leases. Disposed with this. */
  readonly fallback: Coordination;
  /** Never used by another process, also not by this one's successor. */
  readonly member_id: string;
  /** Told when the connection goes away and when it is back. */
  readonly onStateChange?: (status: CoordinationStatus) => void;
  /** Default: limits.ts. */
  readonly timing?: Partial<LinkTiming>;
}

/** PostgreSQL refuses payloads of 8000 bytes and more; a number of a kept message always fits. */
const PAYLOAD_MAX_BYTES = 7999;
const CHANNEL = 'haivemind_events';
const KEPT = /^#(\d+)$/;

/**
 * Resolves after the first attempt to connect, whether or not it succeeded. One connection of its own listens and
 * notifies: what it could not say or hear while away is told as a gap. Rejects with `config_invalid` where the URL is
 * none.
 */
export async function createNotifyCoordination(options: NotifyOptions): Promise<Coordination> {
  const { fallback, member_id, postgres } = options;
  const config = clientConfig(postgres);
  const timing = { ...defaultTiming, ...options.timing };
  const gaps = createGaps();
  const state = createNotifyState(placeOf(postgres.url), options.onStateChange);
  const receive = createReceiver({ member_id, fallback, gap: gaps.tell, use: (work) => use(work) });
  let untold = false;

  const link = await openLink<pg.Client>({
    timing,
    create(lost) {
      const client = new pg.Client({ ...config, application_name: 'haivemind events' });
      client.on('error', lost);
      client.on('end', () => lost(new Error('The connection ended.')));
      client.on('notification', ({ payload }) => receive(payload ?? ''));
      return client;
    },
    async prepare(client) {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      await sweep(client);
      state.version = await versionOf(client);
    },
    remaining(client) {
      if (!untold) return undefined;
      untold = false;
      return notify(client, encodeGap(member_id)).catch((error: unknown) => {
        untold = true;
        throw error;
      });
    },
    ping: (client) => inTurn(client, () => client.query('select 1')),
    destroy: destroyClient,
    onUp() {
      gaps.tell();
      state.set(true, undefined);
    },
    onDown: (cause) => state.set(false, cause),
  });
  function use<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    return (
      (link as Link<pg.Client> | undefined)?.use((client) => inTurn(client, () => work(client))) ??
      Promise.reject(new LinkAwayError())
    );
  }
  state.start(link);
  const sweeps = setInterval(() => void use(sweep).catch(() => {}), limits.relayed_message_retention_ms);
  sweeps.unref();

  return {
    ...fallback,
    member_id,
    async publish(channel, message) {
      await fallback.publish(channel, message);
      const text = encodeEvent({ from: member_id, channel, message });
      await use((client) => send(client, channel, text)).catch(() => {
        untold = true;
      });
    },
    onGap: gaps.add,
    status: state.read,
    async [Symbol.asyncDispose]() {
      clearInterval(sweeps);
      state.stop();
      link.close();
      await fallback[Symbol.asyncDispose]();
    },
  };
}

const turns = new WeakMap<pg.Client, Promise<unknown>>();

/** The driver takes one query at a time. */
function inTurn<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(client) ?? Promise.resolve()).then(work, work);
  turns.set(
    client,
    turn.catch(() => undefined),
  );
  return turn;
}

async function send(client: pg.Client, channel: string, text: string): Promise<void> {
  if (Buffer.byteLength(text) <= PAYLOAD_MAX_BYTES) return notify(client, text);
  // One statement: the notice goes out with the commit of the row it names.
  await client.query(
    `with kept as (
       insert into relayed_messages (channel, body, created_at_ms)
       values ($1, $2, floor(extract(epoch from clock_timestamp()) * 1000)::bigint) returning message_id)
     select pg_notify($3, '#' || message_id) from kept`,
    [channel, text, CHANNEL],
  );
}

async function notify(client: pg.Client, text: string): Promise<void> {
  await client.query('select pg_notify($1, $2)', [CHANNEL, text]);
}

/** Removes large messages that everybody who listens has had time to read. */
async function sweep(client: pg.Client): Promise<void> {
  await client.query(
    `delete from relayed_messages
     where created_at_ms < floor(extract(epoch from clock_timestamp()) * 1000)::bigint - $1::bigint`,
    [limits.relayed_message_retention_ms],
  );
}

async function versionOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ server_version: string }>('show server_version');
  return rows[0]?.server_version ?? 'unknown';
}

/** Not by `end`, which waits for a server that may be gone. */
function destroyClient(client: pg.Client): void {
  client.removeAllListeners('notification');
  const { connection } = client as unknown as { readonly connection: { readonly stream: { destroy(): void } } };
  connection.stream.destroy();
}

interface ReceiverDeps {
  readonly member_id: string;
  readonly fallback: Coordination;
  readonly gap: () => void;
  readonly use: <T>(work: (client: pg.Client) => Promise<T>) => Promise<T>;
}

/** Large messages are read from their table; those that came after one wait for it, so that the order stays. */
function createReceiver({ member_id, fallback, gap, use }: ReceiverDeps): (payload: string) => void {
  let reading: Promise<void> | undefined;

  function deliver(text: string): void {
    const envelope = decodeEnvelope(text);
    if (!envelope || envelope.from === member_id) return;
    if ('gap' in envelope) gap();
    else void fallback.publish(envelope.channel, envelope.message);
  }
  async function read(message_id: string): Promise<void> {
    try {
      const { rows } = await use((client) =>
        client.query<{ body: string }>('select body from relayed_messages where message_id = $1', [message_id]),
      );
      const body = rows[0]?.body;
      if (body === undefined) gap();
      else deliver(body);
    } catch {
      gap();
    }
  }
  return (payload) => {
    const kept = KEPT.exec(payload)?.[1];
    if (kept === undefined && reading === undefined) return deliver(payload);
    const next = (reading ?? Promise.resolve()).then(() => (kept === undefined ? deliver(payload) : read(kept)));
    reading = next;
    void next.then(() => {
      if (reading === next) reading = undefined;
    });
  };
}

function createNotifyState(place: string, onStateChange: NotifyOptions['onStateChange']) {
  let link: Link<pg.Client> | undefined;
  let told: boolean | undefined;
  const ok = (latency_ms?: number): CoordinationStatus => ({
    kind: 'postgres',
    state: 'ok',
    detail: `Events between hubs through PostgreSQL at ${place}.`,
    ...(state.version === undefined ? {} : { version: state.version }),
    ...(latency_ms === undefined ? {} : { latency_ms }),
  });
  const degraded = (cause: unknown): CoordinationStatus => ({
    kind: 'postgres',
    state: 'degraded',
    detail: `The connection for events to PostgreSQL at ${place} ${reasonOf(cause)}. This process goes on without it: nothing is lost, other hubs learn of changes later.`,
    fix: 'Start PostgreSQL or correct the database URL. It reconnects by itself.',
  });
  const state = {
    version: undefined as string | undefined,
    set(up: boolean, cause: unknown): void {
      if (told === undefined || told === up) return;
      told = up;
      if (onStateChange) callListener(() => onStateChange(up ? ok() : degraded(cause)));
    },
    /** From here on changes are told. */
    start(opened: Link<pg.Client>): void {
      link = opened;
      told = opened.connection !== undefined;
    },
    stop(): void {
      told = undefined;
    },
    async read(): Promise<CoordinationStatus> {
      const started_ms = performance.now();
      try {
        if (!link) throw new LinkAwayError();
        await link.use((client) => client.query('select 1'));
        return ok(performance.now() - started_ms);
      } catch (error) {
        return degraded(error instanceof LinkAwayError ? link?.cause : error);
      }
    },
  };
  return state;
}

/** Half a sentence without the error's own words, which may hold a user or an address. */
function reasonOf(cause: unknown): string {
  if (cause instanceof NoAnswerError) return 'does not answer in time';
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return code === '' ? 'was closed' : `failed (${code})`;
}
