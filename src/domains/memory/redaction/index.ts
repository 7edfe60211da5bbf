// Redaction of secrets in texts on their way into the store: what the memory domain may use of it.
export { redactSecrets } from './redact.ts';
export type { Redaction, SecretFinding } from './types.ts';
