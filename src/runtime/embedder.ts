// The embedder the configuration asks for.
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { HaivemindError } from '../kernel/errors.ts';
import { createEmbedder as createConfigured } from '../storage/embedding/index.ts';
import { createLocalEmbedder } from '../storage/embedding/local.ts';
import { createMissingEmbedder } from '../storage/embedding/none.ts';
import type { Embedder } from '../storage/embedding/port.ts';
import { installRoot } from './install-root.ts';

/**
 * Errors: `config_invalid` where a remote provider lacks what it needs. A shipped model that is missing or damaged is no
 * error here: memories are stored and found by words, and health says what is wrong.
 */
export function createEmbedder(
  config: Config['storage']['embedding'],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Embedder {
  // The shipped model lies beside the program, and only this ring knows where that is once it is bundled.
  if (config.provider === 'local') return localOrMissing();
  return createConfigured(config, env);
}

function localOrMissing(): Embedder {
  try {
    return createLocalEmbedder({ models_dir: join(installRoot(), 'models') });
  } catch (error) {
    if (error instanceof HaivemindError) return createMissingEmbedder(error);
    throw error;
  }
}
