// Makes models/token_basis.bin: the main directions of the model's token vectors on permissively licensed notes.
// Run by hand when the model changes: node bench/retrieval/build-token-basis.ts [corpus.jsonl]
// The corpus: JSON lines with "title" and "text". The shipped file was made from the ops-notes set
// (CC BY 4.0 and Apache-2.0); no conversation data went into it. See models/token_basis.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { loadEncoder } from '../../src/storage/embedding/encoder.ts';
import { readModelConfig, TOKEN_BASIS_FILE } from '../../src/storage/embedding/model-files.ts';
import { writeTokenBasis } from '../../src/storage/embedding/token-vectors.ts';
import { STOP_WORDS } from '../../src/storage/text/stop-words.ts';
import { sharedData } from '../../test/shared-data.ts';

const DIMENSIONS = 96;
/** Every third note gives some 50,000 tokens, more than enough for 384 x 384 sums. */
const NOTE_STEP = 3;

const models = join(import.meta.dirname, '../../models');
const corpus = process.argv[2] ?? join(sharedData('retrieval/ops-notes') ?? '', 'corpus.jsonl');
const config = readModelConfig(models);
const encoder = await loadEncoder(models, config);
const size = config.dimensions;
const sums = new Float64Array(size * size);
let tokens = 0;

const addToken = (state: Float32Array): void => {
  const length = Math.hypot(...state);
  for (let a = 0; a < size; a++) {
    const left = (state[a] ?? 0) / length;
    for (let b = a; b < size; b++) sums[a * size + b] = (sums[a * size + b] ?? 0) + (left * (state[b] ?? 0)) / length;
  }
  tokens++;
};

const notes = readFileSync(corpus, 'utf8')
  .trim()
  .split('\n')
  .filter((_, index) => index % NOTE_STEP === 0);
for (const line of notes) {
  const { title, text } = JSON.parse(line) as { title: string; text: string };
  const words = `${title} ${text}`
    .split(/\s+/)
    .flatMap((word) => (STOP_WORDS.has(word.toLowerCase()) ? [] : [encoder.idsOf(word)]));
  const ids = [config.tokenizer.cls, ...words.flat().slice(0, config.maxTokens - 2), config.tokenizer.sep];
  const [encoded] = await encoder.run([ids], true);
  ids.forEach((id, position) => {
    if (encoder.isLexical(id)) addToken(encoded!.states!.slice(position * size, (position + 1) * size));
  });
}

const moments = Matrix.zeros(size, size);
for (let a = 0; a < size; a++) {
  for (let b = a; b < size; b++) {
    moments.set(a, b, (sums[a * size + b] ?? 0) / tokens);
    moments.set(b, a, (sums[a * size + b] ?? 0) / tokens);
  }
}
const { eigenvectorMatrix, realEigenvalues } = new EigenvalueDecomposition(moments, { assumeSymmetric: true });
const order = realEigenvalues
  .map((value, index) => ({ value, index }))
  .sort((a, b) => b.value - a.value)
  .slice(0, DIMENSIONS);
const rows = Float32Array.from(order.flatMap(({ index }) => eigenvectorMatrix.getColumn(index)));
const kept = order.reduce((sum, { value }) => sum + value, 0) / realEigenvalues.reduce((sum, value) => sum + value, 0);
writeFileSync(
  join(models, TOKEN_BASIS_FILE),
  writeTokenBasis({ dimensions: DIMENSIONS, source_dimensions: size, rows }),
);
console.log(
  `${TOKEN_BASIS_FILE}: ${DIMENSIONS} of ${size} directions, ${tokens} tokens, ${(kept * 100).toFixed(1)} % of their energy`,
);
await encoder.close();
