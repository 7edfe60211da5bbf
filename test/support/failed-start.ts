// What a start that must fail says: one error and one hint, no stack, the exit code of the documentation.
import { expect } from 'vitest';
import { ended, type Ran } from '../cli-binary.ts';
import { type McpProcessOptions, spawnMcp } from './mcp-process.ts';

/** Exit code of everything that is wrong with the place rather than with the request. */
export const UNAVAILABLE = 5;

/** Starts `haivemind mcp` with closed stdin and returns how it ended. */
export function runMcp(options: McpProcessOptions): Promise<Ran> {
  const child = spawnMcp(options);
  child.stdin?.end();
  return ended(child);
}

/** A failure for people: message and hint on a line each, nothing on stdout. */
export function expectPlainError(ran: Ran, message: RegExp): void {
  expect(ran.stderr).toMatch(/^error: .+\nhint: .+\n$/);
  expect(ran.stderr).toMatch(message);
  expect(ran).toMatchObject({ code: UNAVAILABLE, stdout: '' });
}

/** The same failure for programs (`--json`). */
export function expectErrorCode(ran: Ran, code: string): void {
  expect(JSON.parse(ran.stderr)).toMatchObject({
    error: { code, message: expect.any(String), hint: expect.any(String) },
  });
  expect(ran).toMatchObject({ code: UNAVAILABLE, stdout: '' });
}
