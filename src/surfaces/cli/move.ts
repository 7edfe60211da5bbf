// What `migrate-store` asks for and gets: the command's side of moving a store.

export interface MoveRequest {
  readonly from: string;
  readonly to: string;
  readonly cwd: string;
  readonly dry_run: boolean;
  readonly restart: boolean;
  /** Called for each end that is a data directory; throws where it is in use. */
  readonly guard: (end: 'from' | 'to', data_dir: string) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onEvent: (event: MoveEvent) => void;
}

export interface MoveEvent {
  readonly type: 'progress';
  readonly phase: 'copy' | 'verify';
  readonly table: string;
  readonly rows: number;
  readonly of: number;
}

interface MoveSides {
  /** For people; never a password. */
  readonly from: string;
  readonly to: string;
  readonly left_out: readonly { readonly table: string; readonly rows: number; readonly reason: string }[];
  readonly notes: readonly string[];
}

export interface MovePlan extends MoveSides {
  readonly type: 'plan';
  readonly tables: readonly { readonly table: string; readonly rows: number }[];
  readonly target: 'nothing' | 'unused' | 'used';
  readonly unfinished: boolean;
}

export interface MoveDone extends MoveSides {
  readonly type: 'done';
  readonly memories: number;
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly hash: string }[];
  readonly resumed: boolean;
  readonly kept: string | undefined;
}

export type MoveReport = MovePlan | MoveDone;
