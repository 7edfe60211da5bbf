// Requests and streams as they are on the wire, for tests of the HTTP surface.
import { request as httpRequest } from 'node:http';
import { expect } from 'vitest';

export interface Reading {
  /** Resolves with everything that came, once the text is in it. */
  until(text: string): Promise<string>;
  /** Drops what came so far. */
  forget(): void;
  ended(): boolean;
  cancel(): Promise<void>;
}

/** Reads a stream from now on, so that a test can wait for what comes. */
export function read(answer: Response): Reading {
  const reader = answer.body?.getReader();
  if (!reader) throw new Error('The answer has no body.');
  const decoder = new TextDecoder();
  let text = '';
  let done = false;
  const reading = (async () => {
    for (;;) {
      const piece = await reader.read();
      if (piece.done) break;
      text += decoder.decode(piece.value, { stream: true });
    }
  })()
    .catch(() => undefined)
    .finally(() => {
      done = true;
    });
  return {
    async until(wanted) {
      await expect.poll(() => text.includes(wanted) || done, { timeout: 5_000 }).toBe(true);
      expect(text).toContain(wanted);
      return text;
    },
    forget() {
      text = '';
    },
    ended: () => done,
    async cancel() {
      await reader.cancel();
      await reading;
    },
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly challenge: string;
  readonly text: string;
}

/** A request with headers that fetch does not send. */
export function rawAsk(port: number, path: string, headers: Record<string, string | string[]>): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const list = Object.entries({ host: `127.0.0.1:${port}`, ...headers }).flatMap(([name, value]) =>
      [value].flat().flatMap((one) => [name, one]),
    );
    const request = httpRequest({ host: '127.0.0.1', port, path, headers: list, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, challenge: answer.headers['www-authenticate'] ?? '', text }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}
