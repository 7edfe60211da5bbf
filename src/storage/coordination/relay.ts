// The envelope in which events travel between processes: who sent it, so that a process drops its own echo.
import { callListener } from './in-process.ts';

export interface RelayedEvent {
  readonly from: string;
  readonly channel: string;
  readonly message: string;
}

/** `gap`: the sender could not tell others for a while; what it would have said is lost. */
export type Envelope = RelayedEvent | { readonly from: string; readonly gap: true };

export function encodeEvent({ from, channel, message }: RelayedEvent): string {
  return JSON.stringify([from, channel, message]);
}

export function encodeGap(from: string): string {
  return JSON.stringify([from]);
}

/** Undefined for what is no envelope: another program may use the same channel. */
export function decodeEnvelope(text: string): Envelope | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [from, channel, message] = parts as unknown[];
  if (typeof from !== 'string') return undefined;
  if (parts.length === 1) return { from, gap: true };
  return typeof channel === 'string' && typeof message === 'string' ? { from, channel, message } : undefined;
}

/** Who wants to know that messages may have been missed. */
export function createGaps() {
  const listeners = new Set<() => void>();
  return {
    tell(): void {
      for (const listener of [...listeners]) callListener(listener);
    },
    add(listener: () => void): () => void {
      const own = () => listener();
      listeners.add(own);
      return () => listeners.delete(own);
    },
  };
}
