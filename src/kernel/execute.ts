// The one road from a surface to an operation: validate, authorise, run, check the answer, observe.
import type { z } from 'zod';
import { failure, type HaivemindError, toErrorBody } from './errors.ts';
import { inWords, nearest, problemsOf } from './input-problems.ts';
import type { Operation, OperationContext, TextPart } from './operation.ts';
import { assertWellFormed } from './text-safety.ts';

const PROBLEMS_MAX_COUNT = 5;

export interface ExecutionRecord {
  readonly operation: string;
  readonly ctx: OperationContext;
  readonly duration_ms: number;
  /** Absent on success. */
  readonly error_code?: string;
  readonly error?: unknown;
}

export interface ExecuteHooks {
  /**
   * Finds out who the caller is to this system at this moment: teams and mode. Throws `forbidden` where the caller may
   * not do this at all; what it may be done to, the handler asks the policy.
   */
  admit(operation: Operation, ctx: OperationContext): Promise<OperationContext>;
  /** Called before a refused call is answered; must not throw. */
  refused(operation: Operation, ctx: OperationContext, input: unknown, error: unknown): Promise<void>;
  /** Called after every call, successful or not; must not throw. */
  observe(record: ExecutionRecord): void;
  /** May add notices to a successful answer, for example the format guide on a session's first memory call. */
  annotate(operation: Operation, ctx: OperationContext): Promise<Readonly<Record<string, string>>>;
}

export interface ExecuteResult {
  /** The structured answer: the operation's output and the notices. */
  readonly output: Readonly<Record<string, unknown>>;
  readonly parts: readonly TextPart[];
}

export interface Executor {
  /** All operations in a fixed order. */
  readonly operations: readonly Operation[];
  get(name: string): Operation | undefined;
  /**
   * Runs one operation. Rejects with HaivemindError for everything the caller can mend
   * (`invalid_input`, `not_found`, ...) and with the original error otherwise.
   */
  execute(name: string, input: unknown, ctx: OperationContext): Promise<ExecuteResult>;
  /** Resolves when no call is in flight any more: a shutdown waits for it. */
  drained(): Promise<void>;
}

export function createExecutor(operations: readonly Operation[], hooks: ExecuteHooks): Executor {
  const byName = new Map(operations.map((operation) => [operation.name, operation]));
  const inFlight = new Set<Promise<unknown>>();

  async function runOne(operation: Operation, input: unknown, ctx: OperationContext): Promise<ExecuteResult> {
    const admitted = await hooks.admit(operation, ctx);
    const parsed = parseInput(operation, input);
    ctx.signal.throwIfAborted();
    const raw = await operation.run(parsed, admitted);
    const output = operation.output.parse(raw) as Record<string, unknown>;
    const notices = await hooks.annotate(operation, admitted);
    const parts = [
      ...operation.text(output),
      ...Object.entries(notices).map(([name, text]): TextPart => ({ kind: 'text', text: noticeText(name, text) })),
    ];
    return { output: { ...output, ...notices }, parts };
  }

  async function execute(name: string, input: unknown, ctx: OperationContext): Promise<ExecuteResult> {
    const operation = byName.get(name);
    if (!operation) throw unknownOperation(name, operations);
    const started_ms = performance.now();
    try {
      const result = await runOne(operation, input, ctx);
      hooks.observe({ operation: name, ctx, duration_ms: performance.now() - started_ms });
      return result;
    } catch (error) {
      const thrown = ctx.signal.aborted && error === ctx.signal.reason ? cancelled(error) : error;
      await hooks.refused(operation, ctx, input, thrown);
      const error_code = toErrorBody(thrown).code;
      hooks.observe({ operation: name, ctx, duration_ms: performance.now() - started_ms, error_code, error: thrown });
      throw thrown;
    }
  }

  return {
    operations,
    get: (name) => byName.get(name),
    execute(name, input, ctx) {
      const call = execute(name, input, ctx);
      const settled = call.then(noop, noop);
      inFlight.add(settled);
      void settled.then(() => inFlight.delete(settled));
      return call;
    },
    async drained() {
      while (inFlight.size > 0) await Promise.all(inFlight);
    },
  };
}

/** A notice of one line is shown with its name. */
function noticeText(name: string, text: string): string {
  return text.includes('\n') ? text : `${name}: ${text}`;
}

function noop(): void {}

/** A caller may abort with any reason; all of them are one code. */
function cancelled(cause: unknown): HaivemindError {
  return failure('cancelled', 'The request was cancelled.', 'Send it again if it is still wanted.', { cause });
}

function parseInput(operation: Operation, input: unknown): unknown {
  const value = input ?? {};
  assertWellFormed(value);
  const result = operation.input.safeParse(value, { error: inWords });
  if (result.success) return result.data;
  throw invalidInput(operation, result.error, value);
}

function invalidInput(operation: Operation, error: z.ZodError, value: unknown): HaivemindError {
  const issues = problemsOf(error.issues, PROBLEMS_MAX_COUNT, value);
  const first = issues[0] ?? { field: 'input', problem: 'is not valid' };
  const known = Object.keys(operation.input.shape);
  const meant = error.issues
    .flatMap((issue) => (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : []))
    .slice(0, PROBLEMS_MAX_COUNT)
    .flatMap((key) => nearest(key, known).slice(0, 1));
  const hints = [
    meant.length > 0 ? `Did you mean ${[...new Set(meant)].join(', ')}?` : '',
    known.length > 0 ? `Fields of ${operation.name}: ${known.join(', ')}.` : `${operation.name} takes no fields.`,
  ];
  return failure(
    'invalid_input',
    `${operation.name}: ${first.field}: ${first.problem}`,
    hints.filter((hint) => hint !== '').join(' '),
    { details: { issues } },
  );
}

function unknownOperation(name: string, operations: readonly Operation[]): HaivemindError {
  const near = nearest(
    name,
    operations.map((operation) => operation.name),
  );
  const hint = near.length > 0 ? `Did you mean ${near.slice(0, 3).join(', ')}?` : 'List the tools to see the names.';
  return failure('not_found', `There is no tool called ${JSON.stringify(name.slice(0, 100))}.`, hint);
}
