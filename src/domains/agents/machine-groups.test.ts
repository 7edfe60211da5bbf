// What a machine's groups say its agents can do.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { capabilitiesOfMachine, matches } from './machine-groups.ts';

const GROUPS = {
  elasticsearch: { machines: ['elastic*'], capabilities: ['elasticsearch_ops', 'Search_Tuning'] },
  everything: { machines: ['*'], capabilities: ['monitoring', 'elasticsearch_ops'] },
  databases: { machines: ['mysql', 'db-*-primary'], capabilities: ['database_ops', ' '] },
};

test.each([
  ['elastic1', ['elasticsearch_ops', 'search_tuning', 'monitoring']],
  ['ELASTIC-2.example.com', ['elasticsearch_ops', 'search_tuning', 'monitoring']],
  ['mysql', ['monitoring', 'elasticsearch_ops', 'database_ops']],
  ['mysql2', ['monitoring', 'elasticsearch_ops']],
  ['db-eu-primary', ['monitoring', 'elasticsearch_ops', 'database_ops']],
  ['db-primary', ['monitoring', 'elasticsearch_ops']],
])('%s can do what all of its groups can', (machine, capabilities) => {
  expect(capabilitiesOfMachine(machine, GROUPS)).toEqual(capabilities);
});

test('without groups there are no capabilities', () => {
  expect(capabilitiesOfMachine('elastic1', {})).toEqual([]);
});

test('a pattern means what the same regular expression means', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'B', '.', '-'), maxLength: 8 });
  const pattern = fc.array(fc.oneof(text, fc.constant('*')), { maxLength: 5 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(pattern, text, (glob, name) => {
      const source = glob
        .split('*')
        .map((part) => part.replace(/[.-]/g, '\\$&'))
        .join('.*');
      expect(matches(glob, name)).toBe(new RegExp(`^${source}$`, 'i').test(name));
    }),
    { numRuns: 2_000 },
  );
});

test('many stars cost no more than their number', () => {
  expect(matches(`${'*a'.repeat(200)}*b`, 'a'.repeat(20_000))).toBe(false);
});
