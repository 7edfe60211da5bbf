// The embedder the configuration asks for.
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { createLocalEmbedder } from '../storage/embedding/local.ts';
import type { Embedder } from '../storage/embedding/port.ts';
import { installRoot } from './install-root.ts';

export function createEmbedder(_config: Config['storage']['embedding']): Embedder {
  return createLocalEmbedder({ models_dir: join(installRoot(), 'models') });
}
