// The embedder the configuration asks for.
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { createEmbedder as createConfigured } from '../storage/embedding/index.ts';
import { createLocalEmbedder } from '../storage/embedding/local.ts';
import type { Embedder } from '../storage/embedding/port.ts';
import { installRoot } from './install-root.ts';

/** Errors: `config_invalid` where a remote provider lacks what it needs, `model_missing` for the shipped model. */
export function createEmbedder(
  config: Config['storage']['embedding'],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Embedder {
  // The shipped model lies beside the program, and only this ring knows where that is once it is bundled.
  if (config.provider === 'local') return createLocalEmbedder({ models_dir: join(installRoot(), 'models') });
  return createConfigured(config, env);
}
