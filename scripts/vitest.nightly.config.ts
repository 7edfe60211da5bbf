// The nightly run: every test of the ordinary run and the long ones.
import { defineConfig } from 'vitest/config';
import everyday from '../vitest.config.ts';
import { projects } from './vitest-projects.ts';

export default defineConfig({
  test: { ...everyday.test, testTimeout: 600_000, projects: projects({ nightly: true }) },
});
