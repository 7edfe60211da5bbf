// What the command line needs from outside: injected by src/cli.ts, replaced in tests.
import type { LoadedConfig } from '../../config/load.ts';
import type { Operation } from '../../kernel/operation.ts';
import type { LocalRuntime, OpenOptions } from '../runtime.ts';
import type { MoveReport, MoveRequest } from './move.ts';

/** An operation's definition, enough to derive flags and help; calling it is the client's business. */
export type OperationShape = Omit<Operation, 'run' | 'text'>;

/** What src/cli.ts alone may reach. */
export interface CliWiring {
  /** Absolute path of the running entry file, for the lines that tell a client how to start it. */
  readonly entryPath: string;
  openRuntime(config: LoadedConfig, options: OpenOptions): Promise<LocalRuntime>;
  /** Replaces the closed store by a backup; `kept` is where the earlier one lies now. */
  restore(
    config: LoadedConfig,
    path: string,
    how: { readonly replace: boolean; readonly signal?: AbortSignal },
  ): Promise<{ readonly memories: number; readonly kept: string | undefined; readonly vaults: number | undefined }>;
  /** Moves a store to another engine, or says what would be moved. */
  moveStore(config: LoadedConfig, request: MoveRequest): Promise<MoveReport>;
  /** All operations, without opening a store. */
  loadOperations(): Promise<readonly OperationShape[]>;
}

export interface OutputStream {
  write(text: string): void;
  readonly isTTY: boolean;
  readonly columns: number;
}

/** The process seen by a command. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdinIsTTY: boolean;
  /** Aborted by the first interrupt. */
  readonly signal: AbortSignal;
  /** Before an interrupt: this command takes so much longer to end in good order. */
  readonly prolong?: (more_ms: number) => void;
}

export interface CliContext extends CliWiring {
  readonly io: CliIo;
  readonly version: string;
}

/** A command's action ends by telling its exit code. */
export type Finish = (exit_code: number) => void;
