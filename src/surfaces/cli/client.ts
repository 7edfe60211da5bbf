// The one interface commands call operations through, whether a hub runs on this machine or not.
import { readFileSync } from 'node:fs';
import { failure } from '../../kernel/errors.ts';
import type { Progress } from '../../kernel/operation.ts';
import type { ExportOptions, HealthCheck, HealthReport, ImportOptions, TransferEvent } from '../runtime.ts';
import type { CliIo } from './contract.ts';

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
  /** The file of a project's backup. */
  backupOut(backup_id: string, options: Pick<CallOptions, 'signal'>): AsyncIterable<Uint8Array>;
  /** Brings such a file to the hub. */
  backupIn(
    source: AsyncIterable<Uint8Array>,
    options: Pick<CallOptions, 'signal'>,
  ): Promise<{ readonly backup_id: string; readonly project_id: string }>;
  health(): Promise<HealthReport>;
  /** Waits until what this command stored is found by meaning too; a hub does that by itself. */
  settle(onProgress: (left: number) => void, signal: AbortSignal): Promise<void>;
  /** The checks that read everything; none through a hub, whose own health is asked instead. */
  inspect(): Promise<readonly HealthCheck[]>;
  close(): Promise<void>;
}

/** Agent that stands on what a person stores from the shell. */
export const CLI_AGENT = 'haivemind-cli';

const NAMED = /^[A-Za-z0-9._@:/-]+$/;
const NAME_MAX_CHARS = 100;

/**
 * Name of the session of a command: HAIVEMIND_SESSION, which any process may share, else the process that started it. One
 * terminal is one session: its shell is what stays. Throws `config_invalid` for what is no name.
 */
export function terminalSession(env: CliIo['env']): string {
  const name = env.HAIVEMIND_SESSION;
  if (!name) return `cli:${process.ppid}${startOf(process.ppid)}`;
  if (name.length <= NAME_MAX_CHARS && NAMED.test(name)) return `cli-named:${name}`;
  throw failure(
    'config_invalid',
    'HAIVEMIND_SESSION is not the name of a session.',
    `Use 1 to ${NAME_MAX_CHARS} letters, digits and . _ @ : / -`,
  );
}

/** When a process started, so that a later one of the same number is another; empty where the system does not say. */
function startOf(pid: number): string {
  try {
    return `:${startTimeIn(readFileSync(`/proc/${pid}/stat`, 'utf8'))}`;
  } catch {
    return '';
  }
}

/** Field 22 of /proc/<pid>/stat (proc(5)), in ticks since the system started. The name before it may hold anything. */
export function startTimeIn(stat: string): string {
  const after = stat.slice(stat.lastIndexOf(')') + 1).trim();
  // Fields are counted from 1, and the first after the name is the third.
  return after.split(/\s+/)[22 - 3] ?? '';
}
