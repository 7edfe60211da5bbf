// Errors for the reader: every failure that leaves the process has a code, says what happened and what to do.

/** Codes shared by all domains. A domain may define further ones in its own errors.ts. */
export type CoreErrorCode =
  | 'invalid_input'
  | 'not_found'
  | 'conflict'
  | 'forbidden'
  | 'unauthenticated'
  | 'limit_exceeded'
  | 'confirmation_required'
  | 'unavailable'
  | 'cancelled'
  | 'storage_full'
  | 'storage_read_only'
  | 'storage_corrupt'
  | 'storage_too_new'
  | 'model_missing'
  | 'model_corrupt'
  | 'config_invalid'
  | 'internal';

/** A failure as data: what surfaces turn into tool errors, HTTP problems and exit codes. */
export interface ErrorBody {
  readonly code: string;
  /** What happened, in one sentence, without stored values or secrets. */
  readonly message: string;
  /** What the reader can do now. */
  readonly hint: string;
  /** Extra machine-readable facts, for example the offending field. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The only error class that is meant to reach a caller; everything else is reported as `internal`. */
export class HaivemindError extends Error implements ErrorBody {
  readonly code: string;
  readonly hint: string;
  readonly details?: Readonly<Record<string, unknown>>;

  constructor(body: ErrorBody, options?: { cause?: unknown }) {
    super(body.message, options);
    this.name = 'HaivemindError';
    this.code = body.code;
    this.hint = body.hint;
    if (body.details !== undefined) this.details = body.details;
  }

  toJSON(): ErrorBody {
    const body: ErrorBody = { code: this.code, message: this.message, hint: this.hint };
    return this.details === undefined ? body : { ...body, details: this.details };
  }
}

/** Builds an error of a known core code. */
export function failure(
  code: CoreErrorCode,
  message: string,
  hint: string,
  extra: { details?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
): HaivemindError {
  const body: ErrorBody = extra.details ? { code, message, hint, details: extra.details } : { code, message, hint };
  return new HaivemindError(body, extra.cause === undefined ? undefined : { cause: extra.cause });
}

/** Turns anything thrown into the body a caller may see. Unknown errors keep their text for the log only. */
export function toErrorBody(error: unknown): ErrorBody {
  if (error instanceof HaivemindError) return error.toJSON();
  if (error instanceof Error && error.name === 'AbortError') {
    return { code: 'cancelled', message: 'The request was cancelled.', hint: 'Send it again if it is still wanted.' };
  }
  return {
    code: 'internal',
    message: 'The server met an unexpected error and changed nothing it did not confirm.',
    hint: 'Look at the server log for the line with this request id; run `haivemind doctor` to check the installation.',
  };
}
