// A suite that needs an engine, beside a test that needs none.
import { it } from 'vitest';
import { describeEngine } from '../suites.ts';

it('needs nothing', () => {});

describeEngine('redis', () => {
  it('needs Redis', () => {});
  it('needs Redis too', () => {});
});
