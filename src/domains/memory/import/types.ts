// What an import gives back: a stream of events, each either something to store, something that went wrong, or a count.

/** Shapes of content the importers understand. `messages` is a list of `{role, content}`; `records` are store_memory inputs. */
export type ImportFormat = 'claude-code' | 'chatgpt' | 'claude-ai' | 'messages' | 'records' | 'markdown' | 'transcript';

/** What `detectFormat` answers: a content shape, or the container it comes in. */
export type DetectedFormat = ImportFormat | 'jsonl' | 'json' | 'zip';

/** How far the reading has come when the item was made; `bytes` counts what was read of the current file. */
export interface ImportPosition {
  readonly bytes: number;
  /** Line (JSONL, text) or entry (JSON array), from 1. */
  readonly line?: number;
  /** File within the imported folder or archive. */
  readonly path?: string;
}

/** One memory to be. Field names are those of store_memory, so that an item can be stored almost as it is. */
export interface ImportItem {
  /** Stable over imports of the same source, prefixed by its format; matches the id pattern of the kernel. */
  readonly external_id: string;
  readonly content: string;
  readonly category: string;
  readonly context?: string;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly session_id?: string;
  /** Position in the session, from 0. */
  readonly sequence?: number;
  /** ISO 8601, UTC. */
  readonly occurred_at?: string;
  readonly project?: string;
  /** Format and, for files that are documents, the path: `chatgpt`, `markdown:runbooks/db.md`. */
  readonly source: string;
  /** Kinds of secrets that were replaced in this item's text, when a `redact` function was given. */
  readonly redactions?: readonly string[];
  /** Further fields of a record as it was given and not checked: scope, importance, valid_from, memory_id, created_at, ... */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export type ImportProblemCode =
  | 'invalid_json'
  | 'invalid_front_matter'
  | 'line_too_long'
  | 'too_deep'
  | 'too_large'
  | 'too_many'
  | 'unknown_shape'
  | 'no_content'
  | 'invalid_field'
  | 'unreadable'
  | 'outside_root';

export interface ImportProblem {
  readonly type: 'problem';
  readonly code: ImportProblemCode;
  /** One sentence without any of the imported text. */
  readonly message: string;
  readonly line?: number;
  readonly path?: string;
}

export interface ImportedConversation {
  readonly type: 'conversation';
  readonly id: string;
  readonly title: string;
  /** Turns of speech found, before long ones are split. */
  readonly turns: number;
  /** Messages or lines left out on purpose: hidden, empty, off the path, local commands. */
  readonly skipped: number;
  /** Counts that only this format knows, for example `tool_calls` or `nodes_off_path`. */
  readonly details: Readonly<Record<string, number>>;
}

export interface ImportCounts {
  readonly files: number;
  readonly bytes: number;
  readonly lines: number;
  readonly items: number;
  readonly summaries: number;
  readonly conversations: number;
  readonly empty_conversations: number;
  readonly turns: number;
  readonly skipped: number;
  /** All problems, also those beyond the number that is reported one by one. */
  readonly problems: number;
  readonly redactions: number;
  /** Lines of session files by their `type`. */
  readonly lines_by_type: Readonly<Record<string, number>>;
}

export type ImportEvent =
  | { readonly type: 'item'; readonly item: ImportItem; readonly position: ImportPosition }
  | ImportProblem
  | ImportedConversation
  | { readonly type: 'done'; readonly counts: ImportCounts };

/** What a format's parser yields; the opener adds positions and counts. */
export type ParsedEvent = { readonly type: 'item'; readonly item: ImportItem } | ImportProblem | ImportedConversation;

/** Replaces secrets in a text; given by the caller, because import happens before storage splits or cuts anything. */
export type Redact = (
  text: string,
) => Promise<{ readonly text: string; readonly findings: readonly { readonly kind: string }[] }>;

export interface ImportOptions {
  /** Skips detection. A container (JSONL, JSON array) is still recognised by itself. */
  readonly format?: ImportFormat;
  /** Name of the source where it is not a path: decides by its ending and names documents. */
  readonly name?: string;
  /** Overrides the project found in the source. */
  readonly project?: string;
  /** Overrides the category every format has by default. */
  readonly category?: string;
  /** Added to the tags of every item. */
  readonly tags?: readonly string[];
  /** Session of a transcript or a list of messages, which carry none. */
  readonly sessionId?: string;
  /** Title of a transcript or a list of messages. */
  readonly title?: string;
  /** Applied to every text before it is cut or split, so that no half of a secret survives. */
  readonly redact?: Redact;
  readonly signal?: AbortSignal;
}
