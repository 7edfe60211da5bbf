// Lines of JSON from a byte stream with a bound on their length. Loads nothing heavy: the proxy process lives on it.
import type { Readable } from 'node:stream';

export interface LineReader {
  pause(): void;
  resume(): void;
  /** Stops reading; nothing is called any more. */
  detach(): void;
}

export interface LineHandlers {
  /** A line without its end; empty lines are skipped. */
  onLine(line: string): void;
  /** A line longer than allowed: its first and last bytes, for whoever has to answer it. The rest is dropped. */
  onOverlong(head: string, tail: string): void;
  onEnd(): void;
}

const NEWLINE = 10;
const EDGE_BYTES = 512;

/** Splits a stream into lines, holding at most `max_bytes` of an unfinished one. */
export function readLines(stream: Readable, max_bytes: number, handlers: LineHandlers): LineReader {
  let pieces: Buffer[] = [];
  let held_bytes = 0;
  let overlong: { head: Buffer; tail: Buffer } | undefined;
  let ended = false;

  function finishLine(): void {
    if (overlong) {
      handlers.onOverlong(overlong.head.toString('utf8'), overlong.tail.toString('utf8'));
    } else {
      const line = (pieces.length === 1 ? pieces[0] : Buffer.concat(pieces))?.toString('utf8').trim() ?? '';
      if (line !== '') handlers.onLine(line);
    }
    pieces = [];
    held_bytes = 0;
    overlong = undefined;
  }

  function hold(piece: Buffer): void {
    if (piece.length === 0) return;
    if (!overlong && held_bytes + piece.length > max_bytes) {
      overlong = { head: Buffer.concat([...pieces, piece]).subarray(0, EDGE_BYTES), tail: Buffer.alloc(0) };
      pieces = [];
    }
    if (overlong) {
      overlong.tail = Buffer.from(Buffer.concat([overlong.tail, piece.subarray(-EDGE_BYTES)]).subarray(-EDGE_BYTES));
      return;
    }
    pieces.push(piece);
    held_bytes += piece.length;
  }

  function onData(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      hold(chunk.subarray(start, end));
      finishLine();
      start = end + 1;
    }
    hold(chunk.subarray(start));
  }

  function onEnd(): void {
    if (ended) return;
    ended = true;
    // A last line without an end is a line all the same.
    if (held_bytes > 0 || overlong) finishLine();
    handlers.onEnd();
  }

  stream.on('data', onData);
  stream.on('end', onEnd);
  stream.on('close', onEnd);
  stream.on('error', onEnd);
  if (stream.readableEnded || stream.destroyed) setImmediate(onEnd);
  // A stream that was paused after a handshake does not start flowing by a listener alone.
  stream.resume();
  return {
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    detach() {
      ended = true;
      stream.off('data', onData);
      stream.off('end', onEnd);
      stream.off('close', onEnd);
      stream.off('error', onEnd);
      // Late errors of a stream nobody reads any more must not end the process.
      stream.on('error', () => undefined);
    },
  };
}

/**
 * The id of a request seen only at its edges: members of JSON-RPC requests are written id first or id last.
 * Undefined where it cannot be told.
 */
export function idAtEdges(head: string, tail: string): string | number | undefined {
  const found =
    /^\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*,/.exec(head) ??
    /^\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"method"\s*:\s*"[^"]*"\s*,\s*"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*,/.exec(
      head,
    ) ??
    /,\s*"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(tail);
  return found?.[1] === undefined ? undefined : (JSON.parse(found[1]) as string | number);
}

/** An error answer as one line; without an id where the request's is unknown. */
export function errorLine(id: string | number | undefined, code: number, message: string, data?: unknown): string {
  const error = data === undefined ? { code, message } : { code, message, data };
  return `${JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error })}\n`;
}
