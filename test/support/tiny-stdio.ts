// A stdio server over the tiny runtime, started as a process by tests.
import { serveStdioConnection } from '../../src/surfaces/mcp/stdio.ts';
import { tinyRuntime } from './tiny-runtime.ts';

const { runtime } = tinyRuntime();
await serveStdioConnection(runtime, { input: process.stdin, output: process.stdout }).closed;
