// While a client is connected, its agent is there: said once a minute for the session that called last.
import { limits } from '../../kernel/limits.ts';
import type { Runtime } from '../runtime.ts';
import type { Caller } from './sessions.ts';

export interface Attendance {
  /** A call came: it is this session's connection. */
  note(caller: Caller): void;
  stop(): void;
}

/** `connected`: whether the client could be reached at this moment. */
export function attend(
  runtime: Pick<Runtime, 'stillHere'>,
  connected: () => boolean,
  interval_ms: number = limits.agent_connection_heartbeat_ms,
): Attendance {
  let caller: Caller | undefined;
  const timer = setInterval(() => {
    if (caller && connected()) void runtime.stillHere(caller);
  }, interval_ms);
  timer.unref();
  return {
    note(called) {
      caller = called;
    },
    stop: () => clearInterval(timer),
  };
}
