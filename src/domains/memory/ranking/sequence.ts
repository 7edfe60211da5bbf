// Evidence from a sequence: in a conversation, a log of a session or an incident's timeline, what stands beside a
// good match is likely to be part of the answer, and a session that holds one good match is likely the right one.
import type { RankingConstants } from './constants.ts';
import type { CandidateFacts } from './types.ts';

export type SequenceEvidence = { readonly neighbours: number; readonly session: number };

type Place = { readonly session_id: string; readonly sequence: number };

const placeOf = (facts: CandidateFacts | undefined): Place | undefined =>
  facts?.session_id != null && facts.sequence != null
    ? { session_id: facts.session_id, sequence: facts.sequence }
    : undefined;

/**
 * What sequence and session lend to each candidate. A memory that stands alone is its own session and its own neighbour:
 * without that, turns of a conversation would outrank every note by evidence that a note cannot have. Empty where no
 * candidate stands in a sequence.
 */
export const sequenceEvidence = (
  scores: ReadonlyMap<number, number>,
  candidates: ReadonlyMap<number, CandidateFacts>,
  constants: RankingConstants,
): Map<number, SequenceEvidence> => {
  const sessions = new Map<string, Map<number, number>>();
  const best = new Map<string, number>();
  for (const [row_id, score] of scores) {
    const place = placeOf(candidates.get(row_id));
    if (!place) continue;
    const session = sessions.get(place.session_id) ?? new Map<number, number>();
    // Two records on one position (parts of a turn) speak with their better score.
    session.set(place.sequence, Math.max(score, session.get(place.sequence) ?? 0));
    sessions.set(place.session_id, session);
    best.set(place.session_id, Math.max(score, best.get(place.session_id) ?? 0));
  }
  const evidence = new Map<number, SequenceEvidence>();
  if (![...sessions.values()].some((session) => session.size > 1)) return evidence;
  for (const [row_id, score] of scores) {
    const place = placeOf(candidates.get(row_id));
    const session = place && sessions.get(place.session_id);
    // A session of one is a note that happens to carry a session's name.
    if (!place || !session || session.size < 2) {
      evidence.set(row_id, {
        neighbours: constants.alone_neighbour_share * score,
        session: constants.session_share * score,
      });
      continue;
    }
    let neighbours = 0;
    for (let step = 1; step <= constants.neighbour_steps_max; step++) {
      const before = session.get(place.sequence - step) ?? 0;
      const after = session.get(place.sequence + step) ?? 0;
      neighbours += constants.neighbour_decay ** step * (before + constants.neighbour_after_share * after);
    }
    evidence.set(row_id, { neighbours, session: constants.session_share * (best.get(place.session_id) ?? 0) });
  }
  return evidence;
};
