// Imports and exports as surfaces see them, over the memory domain.

import {
  exportMemories,
  IMPORT_FORMATS,
  type ImportFormat,
  type ImportStep,
  type MemoryDeps,
} from '../domains/memory/index.ts';
import { failure } from '../kernel/errors.ts';
import type { Principal } from '../kernel/operation.ts';
import type { ImportOptions, Runtime, TransferEvent, Transfers } from '../surfaces/runtime.ts';

/** The gate every transfer passes: `Runtime.authorise`. */
type Authorise = Runtime['authorise'];

export function createTransfers(deps: MemoryDeps, authorise: Authorise): Transfers {
  const admitted = (principal: Principal, options: ImportPlace) =>
    authorise(principal, 'memory.write', 'import', (known) => assertPlace(deps, known, options));
  return {
    async assertImport(principal, options) {
      await admitted(principal, options);
    },
    async *importFrom(source, principal, options) {
      yield* importFrom(deps, source, await admitted(principal, options), options);
    },
    async *exportTo(principal, options) {
      yield* exportMemories(deps.store, await authorise(principal, 'memory.read', 'export'), options);
    },
  };
}

type ImportPlace = Pick<ImportOptions, 'scope' | 'team_id'>;

/** No mode chooses a team here, so it has to be named. */
function assertPlace({ imports }: MemoryDeps, principal: Principal, { scope, team_id }: ImportPlace): void {
  if (scope === 'team' && team_id === undefined)
    throw failure(
      'invalid_input',
      'An import with scope team needs a team.',
      'Name it: `--team <team_id>` of haivemind import, `team_id` over HTTP; list_teams shows yours.',
    );
  imports.assertPlace({ scope, team_id }, { principal, project: undefined });
}

async function* importFrom(
  deps: MemoryDeps,
  source: AsyncIterable<Uint8Array>,
  principal: Principal,
  options: ImportOptions,
): AsyncGenerator<TransferEvent> {
  const format = options.format === undefined ? undefined : knownFormat(options.format);
  const { project, scope, team_id, signal } = options;
  const request = { source, format, name: options.file_name, project, scope, team_id, signal, tags: options.tags };
  for await (const step of deps.imports.run(request, { principal, project: undefined }))
    yield toEvent(step, options.format ?? 'auto');
}

function toEvent(step: ImportStep, format: string): TransferEvent {
  if (step.type === 'problem') return step;
  const { stored, updated, skipped, problems, conversations, redacted, redacted_kinds } = step.totals;
  if (step.type === 'progress') return { type: 'progress', read_bytes: step.position.bytes, stored, skipped, problems };
  return { type: 'done', format, stored, updated, skipped, problems, conversations, redacted, redacted_kinds };
}

function knownFormat(format: string): ImportFormat {
  const known = IMPORT_FORMATS.find((name) => name === format);
  if (known) return known;
  throw failure(
    'invalid_input',
    `There is no import format ${JSON.stringify(format.slice(0, 40))}.`,
    `Use one of ${IMPORT_FORMATS.join(', ')}, or leave it out.`,
  );
}
