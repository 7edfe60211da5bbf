// Worker thread that fits one half-whitening and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { fitWhitening, type Sample } from './fit.ts';

const whitening = fitWhitening(workerData as Sample);
parentPort?.postMessage(whitening, [whitening.matrix.buffer as ArrayBuffer]);
