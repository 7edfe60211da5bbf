// Redaction as configured. The library behind it is loaded with the first text that needs it.
import { type Redact, redactSecrets } from '../domains/memory/index.ts';

export function createRedact(enabled: boolean): Redact {
  return enabled ? redactSecrets : async (text) => ({ text, findings: [] });
}
