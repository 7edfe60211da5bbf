// The two connections to Redis together: whether they are there, since when that was told, and what to say about it.
import { callListener } from './in-process.ts';
import { type Link, LinkAwayError } from './link.ts';
import type { CoordinationStatus } from './port.ts';
import { describeTrouble, type RedisConnection, type RedisServerFacts, type Trouble } from './redis-connection.ts';

export type Use = <T>(work: (client: RedisConnection) => Promise<T>) => Promise<T>;

export interface Links {
  commands: Link<RedisConnection> | undefined;
  subscriber: Link<RedisConnection> | undefined;
  /** Of the server the commands go to. */
  facts: RedisServerFacts | undefined;
  /** A connection for commands is made: to this server. */
  meet(facts: RedisServerFacts): void;
  readonly settled: () => boolean;
  readonly use: Use;
}

export function createLinks(settle_ms: number): Links {
  const settling = createSettling(settle_ms);
  const links: Links = {
    commands: undefined,
    subscriber: undefined,
    facts: undefined,
    meet(facts) {
      links.facts = facts;
      settling.begin(facts);
    },
    settled: settling.isOver,
    use: (work) => links.commands?.use(work) ?? Promise.reject(new LinkAwayError()),
  };
  return links;
}

/**
 * Whether all processes have had the time to be connected to the server at hand: it runs for long enough, or this
 * process has been on it for long enough after another one.
 */
export function createSettling(settle_ms: number) {
  let run_id: string | undefined;
  let over_ms = 0;
  return {
    begin(facts: Pick<RedisServerFacts, 'run_id' | 'uptime_ms'>): void {
      if (facts.run_id === run_id) return;
      const waited_ms = run_id === undefined ? facts.uptime_ms : 0;
      run_id = facts.run_id;
      over_ms = performance.now() + Math.max(0, settle_ms - waited_ms);
    },
    isOver: () => performance.now() >= over_ms,
  };
}

export interface StateDeps {
  readonly links: Links;
  readonly place: string;
  readonly probe: (client: RedisConnection) => Promise<void>;
  readonly notify: ((status: CoordinationStatus) => void) | undefined;
}

export function createState({ links, place, probe, notify }: StateDeps) {
  let last: CoordinationStatus['state'] | undefined;
  const isUp = () => links.commands?.connection !== undefined && links.subscriber?.connection !== undefined;
  const stateNow = (): CoordinationStatus['state'] => (isUp() ? 'ok' : 'degraded');

  function ok(latency_ms?: number): CoordinationStatus {
    const version = links.facts?.version ?? 'unknown';
    const latency = latency_ms === undefined ? {} : { latency_ms };
    return { kind: 'redis', state: 'ok', detail: `Redis ${version} at ${place}.`, version, ...latency };
  }
  function degraded({ what, fix }: Trouble): CoordinationStatus {
    const detail = `Redis at ${place} ${what}. This process goes on without it: nothing is lost, other hubs learn of changes later, limits count for each hub alone.`;
    return { kind: 'redis', state: 'degraded', detail, fix };
  }
  const away = (): Trouble =>
    describeTrouble(links.commands?.connection ? links.subscriber?.cause : links.commands?.cause);
  const changed = (): void => {
    if (last === undefined || last === stateNow()) return;
    last = stateNow();
    if (notify) callListener(() => notify(last === 'ok' ? ok() : degraded(away())));
  };

  return {
    changed,
    /** From here on changes are told. */
    start(): void {
      last = stateNow();
    },
    stop(): void {
      last = undefined;
    },
    async read(): Promise<CoordinationStatus> {
      if (!isUp()) return degraded(away());
      const started_ms = performance.now();
      try {
        await links.use(probe);
        return ok(performance.now() - started_ms);
      } catch (error) {
        return degraded(describeTrouble(links.commands?.connection ? error : links.commands?.cause));
      }
    },
  };
}
