// Learning across the system, as other domains see it: they report what happened, and ask what is known where work starts.
import type { OperationContext, Principal } from '../../kernel/operation.ts';
import type { Trx } from '../../storage/database.ts';
import type { LearningTables } from './tables.ts';

export type LearningTrx = Trx<LearningTables>;

/** Something that happened, with what there is to remember of it. */
export interface LearningEvent {
  /** `<entity>.<what happened>`, for example `task.done`. */
  readonly kind: string;
  readonly entity: 'task' | 'project' | 'agent';
  readonly entity_id: string;
  /** Where the memory goes: that of what it is about. */
  readonly place: { readonly scope: 'solo' | 'team' | 'shared'; readonly team_id: string | null };
  readonly project_id: string | null;
  readonly title: string;
  /** What was learned, in words; secrets are replaced on the way. */
  readonly content: string;
  readonly category: string;
  readonly tags: readonly string[];
  /** 0 to 1. */
  readonly importance: number;
  /** Facts for the memory's metadata: ids of what it came from. */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/** Knowledge that may help with a piece of work. */
export interface RelatedKnowledge {
  readonly memory_id: string;
  readonly category: string;
  readonly content: string;
  /** 0 to 1 inside one answer. */
  readonly score: number;
  readonly agent_id: string;
  readonly machine_id: string;
  readonly created_at: string;
}

export interface Learning {
  /** Reports an event in the transaction of what happened; `settle` afterwards makes its memory. */
  report(trx: LearningTrx, actor: Principal, event: LearningEvent): Promise<void>;
  /**
   * Makes memories of reported events; those of a process that died are taken over. Resolves with the ids of memories
   * by event's entity id. Never rejects: what fails is tried again.
   */
  settle(): Promise<ReadonlyMap<string, string>>;
  /** What the caller may see about these words: memories, runbooks and incidents, best first. Empty where nothing is close. */
  related(
    words: string,
    ctx: OperationContext,
    how: {
      readonly limit: number;
      /** False: by words alone, which takes a millisecond or two. */
      readonly semantic: boolean;
      /** Only of this project. */
      readonly project_id?: string | undefined;
      /** Team the work is for, where that may be another than the mode's. */
      readonly team_id?: string | null | undefined;
    },
  ): Promise<readonly RelatedKnowledge[]>;
}
