// The one interface commands call operations through, whether a hub runs on this machine or not.
import type { Progress } from '../../kernel/operation.ts';
import type { ExportOptions, HealthCheck, HealthReport, ImportOptions, TransferEvent } from '../runtime.ts';

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface OperationClient {
  /** `hub`: a running hub does the work; `store`: this process opened the data directory. */
  readonly via: 'hub' | 'store';
  call(name: string, input: unknown, options: CallOptions): Promise<Readonly<Record<string, unknown>>>;
  importFrom(source: AsyncIterable<Uint8Array>, options: ImportOptions): AsyncIterable<TransferEvent>;
  exportTo(options: ExportOptions): AsyncIterable<string>;
  health(): Promise<HealthReport>;
  /** Waits until what this command stored is found by meaning too; a hub does that by itself. */
  settle(onProgress: (left: number) => void, signal: AbortSignal): Promise<void>;
  /** The checks that read everything; none through a hub, whose own health is asked instead. */
  inspect(): Promise<readonly HealthCheck[]>;
  close(): Promise<void>;
}

/** Agent that stands on what a person stores from the shell. */
export const CLI_AGENT = 'haivemind-cli';

/** One terminal is one session: the shell that starts the commands is what stays. */
export function terminalSession(): string {
  return `cli:${process.ppid}`;
}
