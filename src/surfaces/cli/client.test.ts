// Which session a command belongs to: the one that is named, else that of the process that started it.
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startTimeIn, terminalSession } from './client.ts';

it('is named by HAIVEMIND_SESSION, whoever the parent is', () => {
  const named = terminalSession({ HAIVEMIND_SESSION: 'deploy-2026/11' });
  expect(named).toContain('deploy-2026/11');
  expect(named).not.toContain(String(process.ppid));
  expect(terminalSession({ HAIVEMIND_SESSION: 'other' })).not.toBe(named);
});

it('is never that of another process by its name', () => {
  const own = terminalSession({});
  expect(terminalSession({ HAIVEMIND_SESSION: own })).not.toBe(own);
  expect(terminalSession({ HAIVEMIND_SESSION: '' })).toBe(own);
});

it.each(['two words', 'line\nbreak', 'ünïcödé', 'x'.repeat(101)])('is not %j', (HAIVEMIND_SESSION) => {
  expect(() => terminalSession({ HAIVEMIND_SESSION })).toThrow(/^HAIVEMIND_SESSION is not the name of a session\.$/);
});

it('is told apart by when the parent started, whatever its name holds', () => {
  const fields = Array.from({ length: 49 }, (_, index) => (index === 18 ? '987654' : String(index)));
  expect(startTimeIn(`4711 (a b) c)) S ${fields.join(' ')}\n`)).toBe('987654');
});

it.skipIf(!existsSync('/proc/self/stat'))('has that time where the system tells it (skipped where it does not)', () => {
  const start = startTimeIn(readFileSync(`/proc/${process.ppid}/stat`, 'utf8'));
  expect(start).toMatch(/^\d+$/);
  expect(terminalSession({})).toBe(`cli:${process.ppid}:${start}`);
});
