// Measures the redaction of secrets on labelled lines that are generated on the spot: recall, precision, misses by label, time.
// Run: node bench/redaction/run.ts [seed]
import { redactSecrets } from '../../src/domains/memory/redaction/index.ts';
import { lookAlikeLines } from './look-alikes.ts';
import { seededRandom } from './random.ts';
import { type LabelledLine, secretLines } from './secrets.ts';

export interface RedactionScore {
  readonly lines: number;
  readonly recall: number;
  readonly precision: number;
  readonly missed: readonly string[];
  readonly wrong: readonly string[];
}

/** Longest piece of a secret that may stay, as a key's public beginning does. */
const PIECE_LENGTH_CHARS = 8;

/** A secret is found when no piece of it is left. A line without a secret is wrong when anything was replaced. */
export async function scoreRedaction(seed: number): Promise<RedactionScore> {
  const random = seededRandom(seed);
  const positives = secretLines(random);
  const negatives = lookAlikeLines(random);
  const missed: string[] = [];
  const wrong: string[] = [];
  for (const line of positives) if (!(await isHidden(line))) missed.push(line.label);
  for (const line of negatives) if ((await redactSecrets(line.line)).findings.length > 0) wrong.push(line.label);
  const found = positives.length - missed.length;
  return {
    lines: positives.length + negatives.length,
    recall: found / positives.length,
    precision: found / (found + wrong.length),
    missed,
    wrong,
  };
}

async function isHidden({ line, secrets }: LabelledLine): Promise<boolean> {
  const text = (await redactSecrets(line)).text.replaceAll(/\[REDACTED:\w+\]/g, '');
  return secrets.every((secret) => pieces(secret).every((piece) => !text.includes(piece)));
}

function pieces(secret: string): string[] {
  if (secret.length <= PIECE_LENGTH_CHARS) return [secret];
  const all: string[] = [];
  // An address keeps its host: only the part behind the last slash of a webhook is secret.
  const from = secret.startsWith('https://') ? secret.lastIndexOf('/') + 1 : 0;
  for (let at = from; at + PIECE_LENGTH_CHARS <= secret.length; at++)
    all.push(secret.slice(at, at + PIECE_LENGTH_CHARS));
  return secret.includes('-----BEGIN') ? all.filter((piece) => !/-----|PRIVATE|KEY/.test(piece)) : all;
}

async function millisecondsPerCall(text: string, calls: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < calls; i++) await redactSecrets(text);
  return (performance.now() - start) / calls;
}

async function main(): Promise<void> {
  const plain =
    'checkout returned 502 for four percent of requests after the proxy kept idle connections longer than the service behind it did; we restored the old value and added a check to the pipeline so that it stays.';
  const cold = await millisecondsPerCall(plain, 1);
  const warm = await millisecondsPerCall(plain, 20_000);
  const seed = Number(process.argv[2] ?? 1);
  const score = await scoreRedaction(seed);
  console.log(`lines      ${score.lines} (seed ${seed})`);
  console.log(`recall     ${score.recall.toFixed(3)}  missed: ${score.missed.join('; ') || '-'}`);
  console.log(`precision  ${score.precision.toFixed(3)}  wrong: ${score.wrong.join('; ') || '-'}`);
  console.log(`plain note of ${plain.length} characters: first call ${cold.toFixed(3)} ms, then ${warm.toFixed(4)} ms`);
  const withKey = `${plain} token=${seededRandom(seed).text('abcdefABCDEF0123456789', 40)}`;
  console.log(`note with a key, all rules: ${(await millisecondsPerCall(withKey, 2_000)).toFixed(3)} ms`);
}

if (process.argv[1] === import.meta.filename) await main();
