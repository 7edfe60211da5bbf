// Loaded into a hub by the bench (--import): tells over IPC for how long the main thread was blocked at most.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const RESOLUTION_MS = 1;

if (isMainThread && process.send) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on('message', () => {
    // A tick that comes on time is recorded with the resolution itself.
    const longest_ms = Math.max(0, delay.max / 1e6 - RESOLUTION_MS);
    delay.reset();
    process.send?.({ longest_ms });
  });
  process.channel?.unref();
}
