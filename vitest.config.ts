// Test runner configuration: unit tests beside the code, end-to-end tests in test/.
import { defineConfig } from 'vitest/config';
import { projects } from './scripts/vitest-projects.ts';

export default defineConfig({
  test: {
    projects: projects({ nightly: false }),
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    env: { NODE_ENV: 'test' },
  },
});
