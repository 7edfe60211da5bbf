// The tools of a server as MCP shows them, made once per executor: a server instance per request costs no schema work.
import type { Tool } from '@modelcontextprotocol/server';
import type { Executor } from '../../kernel/execute.ts';
import type { Operation } from '../../kernel/operation.ts';
import type { AnswerForm } from './answer-form.ts';
import { type JsonSchema, terseInputSchema, terseOutputSchema } from './json-schemas.ts';
import { ALL, isListed, type Toolsets } from './toolsets.ts';

export const SEARCH_TOOLS = 'search_tools';
export const RUN_TOOL = 'run_tool';

export interface Catalogue {
  /** Tools to list, in the order of definition; narrowed lists end with search_tools and run_tool. */
  list(toolsets: Toolsets, form?: AnswerForm): Tool[];
  /** One tool by its name, listed or not, with all its fields. */
  get(name: string): Tool | undefined;
}

const catalogues = new WeakMap<Executor, Catalogue>();

export function catalogueOf(executor: Executor): Catalogue {
  const known = catalogues.get(executor);
  if (known) return known;
  const made = createCatalogue(executor.operations);
  catalogues.set(executor, made);
  return made;
}

function createCatalogue(operations: readonly Operation[]): Catalogue {
  const entries = operations.map((operation) => ({ operation, tool: toTool(operation) }));
  sayOnce(entries.filter((entry) => entry.operation.core).map((entry) => entry.tool));
  const byName = new Map(entries.map(({ operation, tool }) => [tool.name, withAllFields(operation, tool)]));
  const lists = new Map<string, Tool[]>();

  function build(toolsets: Toolsets): Tool[] {
    const listed = entries.filter((entry) => isListed(entry.operation, toolsets)).map((entry) => entry.tool);
    return toolsets === undefined || toolsets.has(ALL) ? listed : [...listed, ...REACHING_TOOLS];
  }

  return {
    list(toolsets, form = 'both') {
      const key = `${form} ${toolsets === undefined ? '' : [...toolsets].sort().join(',')}`;
      const known = lists.get(key);
      if (known) return known;
      const made = form === 'both' ? build(toolsets) : build(toolsets).map(withoutOutputSchema);
      lists.set(key, made);
      return made;
    },
    get: (name) => byName.get(name),
  };
}

/** A client that gets no structured content must not be promised any. */
function withoutOutputSchema(tool: Tool): Tool {
  const { outputSchema: _, ...rest } = tool;
  return rest;
}

function toTool(operation: Operation): Tool {
  const { effects } = operation;
  const annotations: NonNullable<Tool['annotations']> = { readOnlyHint: effects.readOnly };
  // The two hints below mean nothing on a tool that only reads.
  if (!effects.readOnly) {
    annotations.destructiveHint = effects.destructive;
    annotations.idempotentHint = effects.idempotent;
  }
  annotations.openWorldHint = effects.openWorld;
  const tool: Tool = {
    name: operation.name,
    title: operation.title,
    description: operation.description,
    inputSchema: terseInputSchema(operation) as Tool['inputSchema'],
    outputSchema: terseOutputSchema(operation) as NonNullable<Tool['outputSchema']>,
    annotations,
  };
  if (operation.core) tool._meta = { 'anthropic/alwaysLoad': true };
  return tool;
}

/** As who asked for this very tool is told of it. */
function withAllFields(operation: Operation, tool: Tool): Tool {
  return { ...tool, inputSchema: terseInputSchema(operation, 'all') as Tool['inputSchema'] };
}

/**
 * Core tools stand in every conversation together, so a field means in the later ones what it meant in the first:
 * its description is not repeated where nothing about it changed, and a long list of choices is spelled once.
 */
function sayOnce(tools: readonly Tool[]): void {
  const fields = new Set<string>();
  const choices = new Set<string>();
  for (const tool of tools) {
    for (const [name, field] of Object.entries(tool.inputSchema.properties ?? {}) as [string, JsonSchema][]) {
      const same = `${name} ${JSON.stringify(field)}`;
      if (fields.has(same)) delete field.description;
      fields.add(same);
      const list = JSON.stringify(field.enum ?? []);
      if (list.length < CHOICES_SHORT_CHARS) continue;
      if (choices.has(list)) delete field.enum;
      choices.add(list);
    }
  }
}

const CHOICES_SHORT_CHARS = 60;

const REACHING_TOOLS: readonly Tool[] = [
  {
    name: SEARCH_TOOLS,
    title: 'Search tools',
    description: 'Find tools of this server that are not listed. Returns names, descriptions and input schemas.',
    inputSchema: {
      type: 'object',
      properties: {
        query: { type: 'string', description: 'Words for what the tool should do.' },
        limit: { type: 'integer', minimum: 1, maximum: 20, default: 5 },
      },
      required: ['query'],
      additionalProperties: false,
    },
    outputSchema: { type: 'object', properties: { tools: { type: 'array', items: { type: 'object' } } } },
    annotations: { readOnlyHint: true, openWorldHint: false },
    _meta: { 'anthropic/alwaysLoad': true },
  },
  {
    name: RUN_TOOL,
    title: 'Run tool',
    description: 'Run any tool of this server by name, also one that is not listed. Find names with search_tools.',
    inputSchema: {
      type: 'object',
      properties: {
        name: { type: 'string', description: 'Name of the tool.' },
        arguments: { type: 'object', description: 'Its input.' },
      },
      required: ['name'],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    _meta: { 'anthropic/alwaysLoad': true },
  },
];
