// Finds and verifies the files of the local model.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure } from '../../kernel/errors.ts';

/** What config.json says about the model. */
export type ModelConfig = {
  readonly name: string;
  readonly dimensions: number;
  readonly maxTokens: number;
  readonly tokenizer: { readonly cls: number; readonly sep: number; readonly pad: number };
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
};

export const MODEL_FILE = 'model_int8.onnx';
export const TOKENIZER_FILE = 'tokenizer.json';
export const TOKEN_BASIS_FILE = 'token_basis.bin';

const REINSTALL =
  'Install haivemind again, or copy its models/ folder from the package; stored memories are not affected.';

/** Reads a file of the model folder; `model_missing` when it cannot be read. */
export const readModelFile = (directory: string, name: string): Uint8Array => {
  try {
    return readFileSync(join(directory, name));
  } catch (cause) {
    throw failure('model_missing', `The model file ${name} cannot be read.`, REINSTALL, { cause });
  }
};

/** Reads a file and compares it with the sha256 in config.json; `model_corrupt` when they differ. */
export const readVerified = (directory: string, name: string, config: ModelConfig): Uint8Array => {
  const bytes = readModelFile(directory, name);
  const expected = config.files[name]?.sha256;
  if (createHash('sha256').update(bytes).digest('hex') !== expected) {
    throw failure('model_corrupt', `The model file ${name} is not the one that was shipped.`, REINSTALL);
  }
  return bytes;
};

export const readModelConfig = (directory: string): ModelConfig => {
  const text = new TextDecoder().decode(readModelFile(directory, 'config.json'));
  try {
    return JSON.parse(text) as ModelConfig;
  } catch (cause) {
    throw failure('model_corrupt', "The model's config.json cannot be read.", REINSTALL, { cause });
  }
};

/** Identity of the vectors: the model's name and its file's hash. */
export const modelId = (config: ModelConfig): string =>
  `${config.name}@${config.files[MODEL_FILE]?.sha256.slice(0, 12) ?? 'unknown'}`;
