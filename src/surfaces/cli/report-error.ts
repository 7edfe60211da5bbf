// How a failed command says what went wrong: two lines on stderr, or the error object with --json.
import { type ErrorBody, HaivemindError, toErrorBody } from '../../kernel/errors.ts';
import type { CliIo } from './contract.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { shown } from './shown.ts';

/** Prints the error and returns the exit code. */
export function reportError(error: unknown, io: CliIo, json: boolean): number {
  const body = bodyOf(error);
  if (json) {
    io.stderr.write(`${JSON.stringify({ error: body })}\n`);
  } else if (!(io.signal.aborted && body.code === 'cancelled')) {
    io.stderr.write(`error: ${shown(body.message)}\nhint: ${shown(body.hint)}\n`);
    // The text of an unexpected error is for the person at this terminal, who owns the process.
    if (body.code === 'internal' && error instanceof Error) io.stderr.write(`cause: ${shown(error.message)}\n`);
    if (body.code === 'internal' && io.env.HAIVEMIND_DEBUG && error instanceof Error) {
      io.stderr.write(`${shown(error.stack ?? '')}\n`);
    }
  }
  return io.signal.aborted ? EXIT.interrupted : exitCodeOf(body);
}

/** Errors of another process arrive as plain bodies; they are told apart by their fields. */
function bodyOf(error: unknown): ErrorBody {
  return error instanceof HaivemindError ? error.toJSON() : toErrorBody(error);
}
