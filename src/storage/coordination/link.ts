// A connection that comes back by itself: opened again after each loss, for ever, with growing pauses and some chance.
import { limits } from '../../kernel/limits.ts';

export interface LinkTiming {
  readonly connect_timeout_ms: number;
  readonly command_timeout_ms: number;
  readonly retry_min_ms: number;
  readonly retry_max_ms: number;
  /** How often an idle connection is asked whether it is alive. */
  readonly ping_interval_ms: number;
}

export const defaultTiming: LinkTiming = {
  connect_timeout_ms: limits.coordination_connect_timeout_ms,
  command_timeout_ms: limits.coordination_command_timeout_ms,
  retry_min_ms: limits.coordination_retry_min_ms,
  retry_max_ms: limits.coordination_retry_max_ms,
  ping_interval_ms: limits.coordination_ping_interval_ms,
};

export interface LinkOptions<C> {
  readonly timing: LinkTiming;
  /** Makes a connection that is not open yet; `lost` is to be told when it dies. */
  create(lost: (cause: unknown) => void): C;
  /** Opens it and does whatever must be done before others may use it. */
  prepare(connection: C): Promise<void>;
  /** Asked after `prepare`, again and again: what is still to be done before use, if anything. */
  remaining?(connection: C): Promise<void> | undefined;
  destroy(connection: C): void;
  onUp?(): void;
  /** Asks a connection in use for any answer, each `ping_interval_ms`: a silent death is noticed by nothing else. */
  ping(connection: C): Promise<unknown>;
  /** Called once for each loss of a connection that was in use, before the first attempt to replace it. */
  onDown?(cause: unknown): void;
}

export interface Link<C> {
  /** Undefined while away. */
  readonly connection: C | undefined;
  /** Why it is away. */
  readonly cause: unknown;
  /**
   * Rejects at once while away, and after the command timeout; then the connection is replaced, since answers come in
   * order and all that follow would wait too.
   */
  use<T>(work: (connection: C) => Promise<T>): Promise<T>;
  /** Gives this connection up, for a cause that only its user can see. */
  lose(cause: unknown): void;
  close(): void;
}

/** The engine behind the link is away. */
export class LinkAwayError extends Error {
  constructor() {
    super('The connection is away.');
    this.name = 'LinkAwayError';
  }
}

/** No answer in time. */
export class NoAnswerError extends Error {
  constructor(timeout_ms: number) {
    super(`No answer within ${timeout_ms} ms.`);
    this.name = 'NoAnswerError';
  }
}

/** Starts the first attempt; the link is there when that has ended, well or not. Never rejects. */
export async function openLink<C>(options: LinkOptions<C>): Promise<Link<C>> {
  const { timing } = options;
  let current: C | undefined;
  let cause: unknown;
  let failures = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const pings = setInterval(() => void ping(), timing.ping_interval_ms);
  pings.unref();

  const away = (reason: unknown): void => {
    if (closed) return;
    cause = reason;
    timer = setTimeout(() => void attempt(), retryPause(timing, failures++));
    timer.unref();
  };
  const lose = (connection: C, reason: unknown): void => {
    if (connection !== current) return;
    current = undefined;
    options.destroy(connection);
    away(reason);
    if (!closed) options.onDown?.(reason);
  };
  async function attempt(): Promise<void> {
    let connection: C | undefined;
    let died: { readonly reason: unknown } | undefined;
    try {
      const made = options.create((reason) => {
        died ??= { reason };
        lose(made, reason);
      });
      connection = made;
      let work: Promise<void> | undefined = options.prepare(made);
      while (work) {
        await withDeadline(work, timing.connect_timeout_ms);
        if (died) throw died.reason;
        if (closed) return options.destroy(made);
        work = options.remaining?.(made);
      }
      // In the same turn as the last `remaining`: nothing can have been added since.
      current = made;
      cause = undefined;
      failures = 0;
      options.onUp?.();
    } catch (error) {
      if (connection !== undefined) options.destroy(connection);
      away(died?.reason ?? error);
    }
  }

  async function use<T>(work: (connection: C) => Promise<T>): Promise<T> {
    const connection = current;
    if (connection === undefined) throw new LinkAwayError();
    try {
      return await withDeadline(work(connection), timing.command_timeout_ms);
    } catch (error) {
      if (error instanceof NoAnswerError) lose(connection, error);
      throw error;
    }
  }
  async function ping(): Promise<void> {
    // What it rejects with is known already: a loss has been told, and a refusal is an answer.
    await use(options.ping).catch(() => {});
  }

  await attempt();
  return {
    get connection() {
      return current;
    },
    get cause() {
      return cause;
    },
    use,
    lose(reason) {
      if (current !== undefined) lose(current, reason);
    },
    close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(pings);
      if (current !== undefined) lose(current, undefined);
    },
  };
}

/** Doubles with each failure up to the maximum; the second half of it by chance, so that processes do not come together. */
export function retryPause(timing: Pick<LinkTiming, 'retry_min_ms' | 'retry_max_ms'>, failures: number): number {
  const full = Math.min(timing.retry_max_ms, timing.retry_min_ms * 2 ** Math.min(failures, 30));
  return full / 2 + Math.random() * (full / 2);
}

async function withDeadline<T>(work: Promise<T>, timeout_ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswerError(timeout_ms)), timeout_ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
