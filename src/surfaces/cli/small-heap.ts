// Keeps the memory of a command that reads a whole store small.
import { setFlagsFromString } from 'node:v8';

/**
 * Pages of rows are dead as soon as they are written. V8 would let the space for new objects grow to a hundred
 * megabytes before it collects them; kept at its size it is collected more often, which costs nothing that shows.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
