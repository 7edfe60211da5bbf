// A decision as an error: what may not be seen is reported by the domain's own "there is no such thing".
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import type { Decision } from './policy.ts';

/** Throws `forbidden` with the decision's reason, or what `absent` makes where the thing may not even be seen. */
export function assertAllowed(decision: Decision, absent: () => HaivemindError): void {
  if (decision.allowed) return;
  if (!decision.visible) throw absent();
  throw failure('forbidden', decision.reason, 'Ask somebody with the rights for it, or use another token.');
}
