// Runs the sample suite alone, for the test that looks at what becomes of it.
import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { root: import.meta.dirname, include: ['*.sample.ts'] } });
