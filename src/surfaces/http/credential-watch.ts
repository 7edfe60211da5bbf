// Ends what is still open when its credential ends: event streams, long exports and calls of a token that was revoked.
import type { ServerResponse } from 'node:http';
import type { Log } from '../runtime.ts';
import type { KnownCaller } from './identify.ts';

export interface CredentialWatch {
  /** From now until the response is closed. */
  add(caller: KnownCaller, response: ServerResponse): void;
  stop(): void;
}

interface Watched {
  readonly stillHolds: () => Promise<boolean>;
  readonly responses: Set<ServerResponse>;
}

/** A credential is asked for once in `interval_ms`, however many requests it has open. */
export function watchCredentials(log: Log, interval_ms: number): CredentialWatch {
  const watched = new Map<string, Watched>();
  let busy = false;

  async function check(): Promise<void> {
    for (const { stillHolds, responses } of [...watched.values()]) {
      if (await stillHolds()) continue;
      for (const response of [...responses]) response.destroy();
    }
  }
  const timer = setInterval(() => {
    if (busy || watched.size === 0) return;
    busy = true;
    void check()
      // Where nobody can say, nothing can be read either; the next time decides.
      .catch((err: unknown) => log.warn({ err }, 'open requests could not be checked for revoked credentials'))
      .finally(() => {
        busy = false;
      });
  }, interval_ms);
  timer.unref();

  return {
    add({ key, stillHolds }, response) {
      if (key === undefined || !stillHolds) return;
      const entry = watched.get(key) ?? { stillHolds, responses: new Set() };
      watched.set(key, entry);
      entry.responses.add(response);
      response.once('close', () => {
        entry.responses.delete(response);
        if (entry.responses.size === 0 && watched.get(key) === entry) watched.delete(key);
      });
    },
    stop: () => clearInterval(timer),
  };
}
