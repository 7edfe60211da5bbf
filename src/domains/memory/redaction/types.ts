// What redaction finds and gives back. A finding says what was there and where, never what it was.

export interface SecretFinding {
  /** Lower case with underscores, for example `aws_secret_access_key`, `password`, `private`. */
  readonly kind: string;
  /** Range in the text as it was given, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** What stands there now: `[REDACTED:<kind>]`. */
  readonly marker: string;
}

export interface Redaction {
  readonly text: string;
  readonly findings: readonly SecretFinding[];
}

/** A stretch of text that holds a secret. */
export interface SecretSpan {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

/** Finds spans of its kinds in a text. */
export type SpanFinder = (text: string) => SecretSpan[];
