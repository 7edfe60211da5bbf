// The embedding worker thread: one model, queries before documents, documents in small batches between which it listens.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { failure, HaivemindError } from '../../kernel/errors.ts';
import { encodeChunks, encodeQuery, nextBatchSize, type PendingChunk, planDocuments } from './document-encoding.ts';
import { type Encoder, loadEncoder } from './encoder.ts';
import type { Reply, Request, WorkerData } from './messages.ts';
import { readModelConfig } from './model-files.ts';
import type { EmbeddedChunk } from './port.ts';

type Query = Extract<Request, { kind: 'query' | 'warm' }>;
type Job = { id: number; texts: readonly string[]; pending: PendingChunk[] | undefined; done: EmbeddedChunk[][] };

const { models_dir } = workerData as WorkerData;
const queries: Query[] = [];
const jobs: Job[] = [];
let encoder: Promise<Encoder> | undefined;
let running = false;
let closing = false;

const send = (reply: Reply): void => parentPort?.postMessage(reply);

const ready = (): Promise<Encoder> => {
  encoder ??= Promise.resolve()
    .then(() => loadEncoder(models_dir, readModelConfig(models_dir)))
    .catch((error: unknown) => {
      // The next request tries again: the files may have been put right.
      encoder = undefined;
      throw error;
    });
  return encoder;
};

const fail = (id: number, cause: unknown): void => {
  const error =
    cause instanceof HaivemindError
      ? cause
      : failure(
          'unavailable',
          'The embedding model failed on a text.',
          `Look at the log; run \`haivemind doctor\`. (${cause instanceof Error ? cause.message : 'unknown'})`,
        );
  send({ kind: 'failed', id, error: error.toJSON() });
};

const answer = async (query: Query): Promise<void> => {
  try {
    const model = await ready();
    if (query.kind === 'warm') return send({ kind: 'warm', id: query.id });
    send({ kind: 'query', id: query.id, query: await encodeQuery(model, query.text) });
  } catch (error) {
    fail(query.id, error);
  }
};

const finish = (job: Job): void => {
  jobs.splice(jobs.indexOf(job), 1);
  const documents = job.done.map((chunks) => ({ chunks: chunks.sort((a, b) => a.start_char - b.start_char) }));
  send({ kind: 'documents', id: job.id, documents });
};

/** One batch of one job: the longest this thread goes without looking for a query. */
const advance = async (job: Job): Promise<void> => {
  try {
    const model = await ready();
    job.pending ??= planDocuments(model, job.texts);
    const batch = job.pending.splice(0, nextBatchSize(job.pending));
    const chunks = batch.length > 0 ? await encodeChunks(model, job.texts, batch) : [];
    chunks.forEach((chunk, index) => {
      job.done[batch[index]?.document ?? 0]?.push(chunk);
    });
    if (job.pending.length === 0 && jobs.includes(job)) finish(job);
  } catch (error) {
    if (jobs.includes(job)) jobs.splice(jobs.indexOf(job), 1);
    fail(job.id, error);
  }
};

const work = async (): Promise<void> => {
  if (running) return;
  running = true;
  while (queries.length > 0 || jobs.length > 0) {
    const query = queries.shift();
    const [job] = jobs;
    if (query) await answer(query);
    else if (job) await advance(job);
    await nextTurn();
  }
  running = false;
  if (closing) await close();
};

const close = async (): Promise<void> => {
  const model = await encoder?.catch(() => undefined);
  await model?.close();
  parentPort?.close();
};

const cancel = (id: number): void => {
  const query = queries.findIndex((each) => each.id === id);
  if (query >= 0) queries.splice(query, 1);
  const job = jobs.findIndex((each) => each.id === id);
  if (job >= 0) jobs.splice(job, 1);
};

parentPort?.on('message', (request: Request) => {
  if (request.kind === 'cancel') return cancel(request.id);
  if (request.kind === 'close') {
    closing = true;
    queries.length = 0;
    jobs.length = 0;
    if (!running) void close();
    return;
  }
  if (request.kind === 'documents') {
    jobs.push({ id: request.id, texts: request.texts, pending: undefined, done: request.texts.map(() => []) });
  } else queries.push(request);
  void work();
});
