import { describe, expect, it } from 'vitest';
import { tinyRuntime } from '../../../test/support/tiny-runtime.ts';
import { catalogueOf } from './catalogue.ts';
import { findOperations, parseToolsets } from './toolsets.ts';

const { runtime } = tinyRuntime();
const { operations } = runtime.executor;
const names = (toolsets: string | undefined): string[] =>
  catalogueOf(runtime.executor)
    .list(parseToolsets(toolsets, operations))
    .map((tool) => tool.name);

describe('parseToolsets', () => {
  it('lists all tools by default and for all, in the order of definition', () => {
    const all = operations.map((operation) => operation.name);
    expect(names(undefined)).toEqual(all);
    expect(names('all')).toEqual(all);
    expect(names(' ')).toEqual(all);
  });

  it('narrows by toolset and by core, and keeps the rest within reach', () => {
    expect(names('testing')).toEqual(['wait_for_gate', 'search_tools', 'run_tool']);
    expect(names('core')).toEqual(['store_note', 'list_notes', 'search_tools', 'run_tool']);
    expect(names('Testing, notes')).toHaveLength(operations.length + 2);
  });

  it('refuses a name that would list nothing', () => {
    expect(() => parseToolsets('memry', operations)).toThrow(/no toolset called "memry"/);
  });
});

describe('findOperations', () => {
  it('puts names before descriptions and finds nothing for strange words', () => {
    expect(findOperations(operations, 'list notes', 2).map((operation) => operation.name)[0]).toBe('list_notes');
    expect(findOperations(operations, 'zebra', 5)).toEqual([]);
    expect(findOperations(operations, '', 2)).toHaveLength(2);
  });
});
