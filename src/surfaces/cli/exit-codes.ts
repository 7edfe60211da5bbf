// Exit codes of every command; documented in docs/cli.md.
import type { ErrorBody } from '../../kernel/errors.ts';

export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  not_found: 3,
  refused: 4,
  unavailable: 5,
  interrupted: 130,
} as const;

const BY_CODE: Readonly<Record<string, number>> = {
  invalid_input: EXIT.usage,
  limit_exceeded: EXIT.usage,
  config_invalid: EXIT.usage,
  not_found: EXIT.not_found,
  confirmation_required: EXIT.refused,
  forbidden: EXIT.refused,
  unauthenticated: EXIT.refused,
  unavailable: EXIT.unavailable,
  storage_full: EXIT.unavailable,
  storage_read_only: EXIT.unavailable,
  storage_corrupt: EXIT.unavailable,
  storage_too_new: EXIT.unavailable,
  model_missing: EXIT.unavailable,
  model_corrupt: EXIT.unavailable,
  cancelled: EXIT.interrupted,
};

export function exitCodeOf(error: ErrorBody): number {
  return BY_CODE[error.code] ?? EXIT.failure;
}
