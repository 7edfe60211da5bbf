// Errors over HTTP: RFC 9457 problem documents with our code, message and hint.
import type { ErrorBody } from '../../kernel/errors.ts';

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  invalid_input: 400,
  not_found: 404,
  conflict: 409,
  forbidden: 403,
  unauthenticated: 401,
  limit_exceeded: 400,
  rate_limited: 429,
  confirmation_required: 428,
  unavailable: 503,
  cancelled: 499,
  storage_full: 507,
  storage_read_only: 503,
  storage_corrupt: 500,
  storage_too_new: 500,
  model_missing: 503,
  model_corrupt: 503,
  config_invalid: 500,
  internal: 500,
};

/** Status of an error code; 422 for codes a domain added, which are always about the request. */
export function statusOf(code: string): number {
  return STATUS_BY_CODE[code] ?? 422;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export function problemOf(body: ErrorBody, request_id: string, status: number = statusOf(body.code)): Problem {
  return {
    type: `urn:haivemind:error:${body.code}`,
    title: body.code.replaceAll('_', ' '),
    status,
    detail: body.message,
    instance: `urn:haivemind:request:${request_id}`,
    code: body.code,
    message: body.message,
    hint: body.hint,
    ...(body.details === undefined ? {} : { details: body.details }),
  };
}
