// Who gets a piece of work: a pure decision over what is known of the agents. Only those who have every capability that is
// needed and are there come into question; of them the one that is likeliest to do it soon and well.
import { limits } from '../../kernel/limits.ts';

/** What the decision looks at. */
export interface Contender {
  readonly agent_id: string;
  readonly capabilities: readonly string[];
  /** Milliseconds since it was last heard of. */
  readonly silent_ms: number;
  /** Tasks it holds or that are assigned to it and not over. */
  readonly load: number;
  /** Tasks of this kind that it brought to an end. */
  readonly done: number;
  readonly failed: number;
}

export interface Ranked {
  readonly agent_id: string;
  /** 0 to 1; null where it does not come into question. */
  readonly score: number | null;
  /** Capabilities it lacks. */
  readonly missing: readonly string[];
  readonly offline: boolean;
  readonly load: number;
  /** Share of such work that succeeded, as far as is known: 0.5 of who has done none. */
  readonly success: number;
  /** Pieces of such work that are over, well or not. */
  readonly ended: number;
}

const LOAD_SHARE = 0.5;
const SUCCESS_SHARE = 0.3;
const PRESENCE_SHARE = 0.2;

/** Those in question best first, then the others; of equals by id, so that everybody decides alike. */
export function rankContenders(contenders: readonly Contender[], needed: readonly string[]): Ranked[] {
  return contenders
    .map((contender) => judge(contender, needed))
    .toSorted((a, b) => (b.score ?? -1) - (a.score ?? -1) || compare(a.agent_id, b.agent_id));
}

function judge(contender: Contender, needed: readonly string[]): Ranked {
  const { agent_id, capabilities, silent_ms, load, done, failed } = contender;
  const missing = needed.filter((capability) => !capabilities.includes(capability));
  const offline = silent_ms > limits.agent_presence_ttl_ms;
  // Rule of succession (Laplace): one success and one failure more than were seen.
  const success = (done + 1) / (done + failed + 2);
  const fresh = 1 - Math.min(1, Math.max(0, silent_ms) / limits.agent_presence_ttl_ms);
  const score = LOAD_SHARE / (1 + load) + SUCCESS_SHARE * success + PRESENCE_SHARE * fresh;
  const able = missing.length === 0 && !offline;
  return { agent_id, score: able ? score : null, missing, offline, load, success, ended: done + failed };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
