// The nightly run: every test of the ordinary run and the long ones.
import { defineConfig, mergeConfig } from 'vitest/config';
import everyday from '../vitest.config.ts';

const merged = mergeConfig(everyday, defineConfig({ test: { testTimeout: 600_000 } }));
const exclude = merged.test?.exclude?.filter((pattern: string) => !pattern.includes('nightly'));

export default { ...merged, test: { ...merged.test, exclude } };
