// What the ranking is given and what it answers. It knows no SQL: whoever calls it fetches what the plan asks for.

/** A record found by its words; higher is better. */
export type TextEvidence = { readonly row_id: number; readonly score: number };
/** A record's best chunk by meaning; higher is nearer. `score` is fitted to the collection, `cosine` is plain. */
export type VectorEvidence = {
  readonly row_id: number;
  readonly chunk: number;
  readonly score: number;
  readonly cosine: number;
};

/** What has to be known of a candidate. Absent parts are no error: their signal stays silent. */
export type CandidateFacts = {
  readonly session_id?: string | null | undefined;
  /** Position in the session. */
  readonly sequence?: number | null | undefined;
  /** The text, for folding duplicates. Absent: never folded. */
  readonly content?: string | undefined;
  /** 0..1, .5 where nobody said. */
  readonly importance?: number | undefined;
  /** Packed token vectors of a short text. */
  readonly tokens?: Uint8Array | null | undefined;
};

/** The question's token vectors, as the embedder gives them. */
export type QueryTokens = { readonly words: readonly string[]; readonly vectors: Uint8Array };

export type RankInput = {
  readonly text: readonly TextEvidence[];
  /** Must hold a score for every candidate that has a vector, those of the text search and the neighbours included. */
  readonly vector: readonly VectorEvidence[];
  readonly candidates: ReadonlyMap<number, CandidateFacts>;
  readonly query_tokens?: QueryTokens | undefined;
  /** How rare each word of the question is in the store (inverse document frequency). Absent words count as average. */
  readonly rarity?: ReadonlyMap<string, number> | undefined;
  /** At most this many hits. */
  readonly limit: number;
};

/** What each signal contributed to a score; they add up to it. */
export type ScoreParts = {
  readonly bm25: number;
  readonly vector: number;
  readonly maxsim: number;
  readonly neighbours: number;
  readonly session: number;
  readonly importance: number;
};

export type RankedHit = {
  readonly row_id: number;
  /** 0..1; compares within one answer. */
  readonly score: number;
  /** The chunk that matched best by meaning; 0 where none did. */
  readonly chunk: number;
  readonly parts: ScoreParts;
  /** Near-identical records that stand behind this one, best first. */
  readonly folded: readonly number[];
};

/** Positions of a session, both ends included. */
export type SequenceRange = { readonly session_id: string; readonly from: number; readonly to: number };
