// One tool call: through the executor, and back as structured content plus a short text, or as a tool error.
import type { CallToolResult } from '@modelcontextprotocol/server';
import { type ErrorBody, failure, toErrorBody } from '../../kernel/errors.ts';
import type { OperationContext, TextPart } from '../../kernel/operation.ts';
import type { Runtime } from '../runtime.ts';
import { type AnswerForm, NOTICE, NOTICE_FIELD } from './answer-form.ts';
import { catalogueOf, RUN_TOOL, SEARCH_TOOLS } from './catalogue.ts';
import { renderParts } from './fence.ts';
import { findOperations } from './toolsets.ts';

/** Runs a tool by name. Never throws: what goes wrong becomes a tool error, which a model can read and mend. */
export async function callTool(
  runtime: Runtime,
  name: string,
  input: unknown,
  ctx: OperationContext,
): Promise<CallToolResult> {
  try {
    if (name === SEARCH_TOOLS) return searchTools(runtime, input);
    if (name === RUN_TOOL) {
      const inner = readRunInput(input);
      return await run(runtime, inner.name, inner.arguments, ctx);
    }
    return await run(runtime, name, input, ctx);
  } catch (error) {
    return toolError(runtime, name, error, ctx);
  }
}

async function run(runtime: Runtime, name: string, input: unknown, ctx: OperationContext): Promise<CallToolResult> {
  const result = await runtime.executor.execute(name, input, ctx);
  return toolAnswer(result.output, result.parts);
}

function toolAnswer(output: Readonly<Record<string, unknown>>, parts: readonly TextPart[]): CallToolResult {
  const notice = parts.some((part) => part.kind === 'stored') ? { [NOTICE_FIELD]: NOTICE } : {};
  return { content: [{ type: 'text', text: renderParts(parts) }], structuredContent: { ...notice, ...output } };
}

/** The answer as this client should have it. */
export function inForm(result: CallToolResult, form: AnswerForm): CallToolResult {
  if (form === 'both') return result;
  const { structuredContent: _, ...text } = result;
  return text;
}

/** A failure as a tool result: text for the model, the same as data beside it, never a stack trace. */
export function toolError(runtime: Runtime, name: string, error: unknown, ctx: OperationContext): CallToolResult {
  const body = toErrorBody(error);
  if (body.code === 'internal') logInternal(runtime, name, error, ctx);
  return {
    isError: true,
    content: [{ type: 'text', text: `${body.code}: ${body.message}\n${body.hint}` }],
    structuredContent: errorFields(body),
  };
}

export function errorFields(body: ErrorBody): Record<string, unknown> {
  return body.details === undefined
    ? { code: body.code, message: body.message, hint: body.hint }
    : { code: body.code, message: body.message, hint: body.hint, details: body.details };
}

function logInternal(runtime: Runtime, name: string, error: unknown, ctx: OperationContext): void {
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  runtime.log.error({ tool: name, request_id: ctx.request_id, error: shown }, 'A tool call failed unexpectedly.');
}

function searchTools(runtime: Runtime, input: unknown): CallToolResult {
  const fields = asFields(input);
  const query = fields.query;
  if (typeof query !== 'string') {
    throw failure(
      'invalid_input',
      `${SEARCH_TOOLS}: query: must be text.`,
      'Say in a few words what the tool should do.',
    );
  }
  const asked = Number(fields.limit ?? 5);
  const limit = Number.isInteger(asked) ? Math.min(Math.max(asked, 1), 20) : 5;
  const catalogue = catalogueOf(runtime.executor);
  const found = findOperations(runtime.executor.operations, query, limit);
  const tools = found.map((operation) => ({
    name: operation.name,
    description: operation.description,
    input_schema: catalogue.get(operation.name)?.inputSchema,
  }));
  const text =
    tools.length === 0
      ? 'No tool fits. Try other words.'
      : tools
          .map((tool) => `${tool.name}: ${tool.description}\n  input: ${JSON.stringify(tool.input_schema)}`)
          .join('\n');
  return { content: [{ type: 'text', text }], structuredContent: { tools } };
}

function readRunInput(input: unknown): { name: string; arguments: unknown } {
  const fields = asFields(input);
  const name = fields.name;
  if (typeof name === 'string' && name !== RUN_TOOL && name !== SEARCH_TOOLS)
    return { name, arguments: fields.arguments };
  throw failure('invalid_input', `${RUN_TOOL}: name: must name a tool.`, `Find names with ${SEARCH_TOOLS}.`);
}

function asFields(input: unknown): Readonly<Record<string, unknown>> {
  return typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {};
}
