// What passes between the main thread and the embedding worker.
import type { ErrorBody } from '../../kernel/errors.ts';
import type { EmbeddedDocument, EmbeddedQuery } from './port.ts';

export type WorkerData = { readonly models_dir: string };

export type Request =
  | { readonly kind: 'warm'; readonly id: number }
  | { readonly kind: 'query'; readonly id: number; readonly text: string }
  | { readonly kind: 'documents'; readonly id: number; readonly texts: readonly string[] }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'close' };

export type Reply =
  | { readonly kind: 'warm'; readonly id: number }
  | { readonly kind: 'query'; readonly id: number; readonly query: EmbeddedQuery }
  | { readonly kind: 'documents'; readonly id: number; readonly documents: EmbeddedDocument[] }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorBody };
