// What is a resource's URI and what is not, whether or not there is one.
import { expect, test } from 'vitest';
import { RESOURCE_TEMPLATES } from '../surfaces/mcp/resources.ts';
import { resourceMeant } from './resource-uris.ts';

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
