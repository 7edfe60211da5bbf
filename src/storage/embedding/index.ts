// Chooses the embedder that the configuration names.
import { fileURLToPath } from 'node:url';
import { failure } from '../../kernel/errors.ts';
import { createLocalEmbedder } from './local.ts';
import { createNoEmbedder } from './none.ts';
import { createHttpEmbedder } from './openai-compatible.ts';
import type { Embedder } from './port.ts';

/** The section storage.embedding of the configuration. */
export type EmbeddingSettings = {
  readonly provider: 'local' | 'openai' | 'ollama' | 'none';
  readonly url?: string | undefined;
  readonly model?: string | undefined;
  readonly dimensions?: number | undefined;
  readonly api_key_env?: string | undefined;
};

const DEFAULT_URLS = { openai: 'https://api.openai.com/v1', ollama: 'http://127.0.0.1:11434' } as const;

/** models/ of the installation: three folders up from the source, one from the bundle. */
const modelsDir = (): string =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../../models' : '../models', import.meta.url));

/** Makes the configured embedder. Throws `config_invalid` where a remote one lacks its model or dimensions. */
export const createEmbedder = (
  settings: EmbeddingSettings,
  env: Readonly<Record<string, string | undefined>>,
): Embedder => {
  const { provider, url, model, dimensions, api_key_env } = settings;
  if (provider === 'local') return createLocalEmbedder({ models_dir: modelsDir() });
  if (provider === 'none') return createNoEmbedder();
  if (model === undefined || dimensions === undefined) {
    throw failure(
      'config_invalid',
      `storage.embedding with provider ${provider} needs model and dimensions.`,
      'Name the model and the length of its vectors in the configuration.',
    );
  }
  const api_key = api_key_env === undefined ? undefined : env[api_key_env];
  if (api_key_env !== undefined && api_key === undefined) {
    throw failure(
      'config_invalid',
      `The environment variable ${api_key_env} is not set.`,
      'Set it, or remove storage.embedding.api_key_env.',
    );
  }
  return createHttpEmbedder({ protocol: provider, url: url ?? DEFAULT_URLS[provider], model, dimensions, api_key });
};
