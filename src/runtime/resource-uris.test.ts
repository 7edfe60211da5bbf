// What is a resource's URI and what is not, whether or not there is one.
import { expect, test } from 'vitest';
import { RESOURCE_TEMPLATES } from '../surfaces/mcp/resources.ts';
import { assertSubscribable, resourceMeant } from './resource-uris.ts';

const FILLED = RESOURCE_TEMPLATES.map(({ uriTemplate }) => uriTemplate.replace(/\{\w+\}/, 'none'));

test.each([...FILLED, 'haivemind://tasks', 'haivemind://agents'])('%s may be one', (uri) => {
  expect(resourceMeant(uri)).toBeDefined();
});

test.each(['foo://bar', '', 'haivemind://', 'haivemind://tasks/', 'haivemind://tasks/a/b', 'haivemind://tasks/%ff'])(
  '%j is none; the forms there are, are named',
  (uri) => {
    const named = RESOURCE_TEMPLATES.map(({ uriTemplate }) => expect.stringContaining(uriTemplate));
    for (const hint of named)
      expect(() => resourceMeant(uri)).toThrow(expect.objectContaining({ code: 'not_found', hint }));
  },
);

test('news are promised of what can be a resource here, and of what is another server’s', () => {
  for (const uri of ['haivemind://tasks', 'haivemind://memory/mem_1', 'test://watched', 'file:///a'])
    expect(() => assertSubscribable(uri)).not.toThrow();
  for (const uri of ['haivemind://task/task_1', 'HAIVEMIND:tasks'])
    expect(() => assertSubscribable(uri)).toThrow(expect.objectContaining({ code: 'not_found' }));
});
