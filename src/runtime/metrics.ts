// Prometheus metrics: per operation count, errors and latency; store sizes and queue depths read when scraped.
import type { ExecutionRecord } from '../kernel/execute.ts';

const LATENCY_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Values read at scrape time. */
export interface Gauges {
  readonly memories: number;
  readonly memories_deleted: number;
  readonly store_bytes: number;
  readonly vectors_indexed: number;
  readonly vector_index_bytes: number;
  readonly vector_queue_depth: number;
  readonly change_sequence: number;
}

export interface Metrics {
  observe(record: ExecutionRecord): void;
  /** Prometheus text exposition format. */
  expose(): Promise<string>;
}

/** Only hubs are scraped, so only they load the library. */
export async function createMetrics(readGauges: () => Promise<Gauges>): Promise<Metrics> {
  const { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'haivemind_' });
  const registers = [registry];
  const calls = new Counter({
    name: 'haivemind_operations_total',
    help: 'Operation calls.',
    labelNames: ['operation', 'transport'],
    registers,
  });
  const errors = new Counter({
    name: 'haivemind_operation_errors_total',
    help: 'Operation calls that failed, by error code.',
    labelNames: ['operation', 'code'],
    registers,
  });
  const latency = new Histogram({
    name: 'haivemind_operation_duration_seconds',
    help: 'Time from call to answer.',
    labelNames: ['operation'],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers,
  });
  const up = new Gauge({ name: 'haivemind_store_up', help: '1 where the store answers.', registers });
  const help: Record<keyof Gauges, string> = {
    memories: 'Living memories.',
    memories_deleted: 'Memories in the recycle bin.',
    store_bytes: 'Size of the store on disk.',
    vectors_indexed: 'Memories in the vector index of this process.',
    vector_index_bytes: 'Main memory of the vector index.',
    vector_queue_depth: 'Memories waiting for their vector.',
    change_sequence: 'Latest change of the store.',
  };
  const gauges = Object.entries(help).map(([key, text]) => ({
    key: key as keyof Gauges,
    gauge: new Gauge({ name: `haivemind_${key}`, help: text, registers }),
  }));
  return {
    observe(record) {
      const operation = record.operation;
      calls.inc({ operation, transport: record.ctx.session.transport });
      if (record.error_code !== undefined) errors.inc({ operation, code: record.error_code });
      latency.observe({ operation }, record.duration_ms / 1000);
    },
    async expose() {
      const values = await inTime(readGauges());
      up.set(values ? 1 : 0);
      // A size that could not be read is left out: the last one would look like a fact.
      for (const { key, gauge } of gauges) {
        if (values) gauge.set(values[key]);
        else gauge.remove();
      }
      return registry.metrics();
    },
  };
}

const GAUGES_MAX_MS = 3_000;

/** Undefined where the store is away: whoever scrapes waits some seconds, and wants the other figures all the same. */
async function inTime(read: Promise<Gauges>): Promise<Gauges | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), GAUGES_MAX_MS);
  try {
    return await Promise.race([read, late.promise]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
