// Writing to a server that may answer and take nothing: changes then wait for a growing pause, and it is searched as ever.
import type { Clock } from '../../../kernel/clock.ts';
import { type ErrorBody, HaivemindError, toErrorBody } from '../../../kernel/errors.ts';
import { type Circuit, isOfServer, pauseOf } from './served-circuit.ts';

export interface Writing {
  /** Runs `work`, which writes. Rejects at once while the server is left alone; looks whether it answers where it fails. */
  write<T>(work: () => Promise<T>): Promise<T>;
  /** The server does not answer, or takes nothing: nothing is written until it is asked again. */
  isAway(): boolean;
  /** It refused whatever it was given, though it answers. */
  refused(error: unknown): void;
  /** Nothing is left to be tried: where nothing waits at all, the server has taken it, from whichever process. */
  idle(): Promise<void>;
  /** Why it takes nothing, from the first refusal until it takes something. */
  trouble(): ErrorBody | undefined;
}

export interface WritingDeps {
  readonly clock: Clock;
  readonly circuit: Pick<Circuit, 'doubt' | 'trouble'>;
  /** Changes that wait, whoever works on them. */
  readonly waiting: () => Promise<number>;
  /** The server takes nothing any more, or takes something again (undefined). Not told again of what is known. */
  readonly onChange: (error: unknown) => void;
}

export function createWriting({ clock, circuit, waiting, onChange }: WritingDeps): Writing {
  let refusal: { readonly error: unknown; readonly times: number; readonly since_ms: number } | undefined;

  function rests(): boolean {
    if (!refusal) return false;
    const passed_ms = clock.now() - refusal.since_ms;
    return passed_ms >= 0 && passed_ms < pauseOf(refusal.times);
  }

  function taken(): void {
    if (refusal) onChange(undefined);
    refusal = undefined;
  }

  return {
    async write(work) {
      const away = circuit.trouble();
      if (away) throw new HaivemindError(away);
      try {
        const result = await work();
        taken();
        return result;
      } catch (error) {
        if (isOfServer(error)) await circuit.doubt();
        throw error;
      }
    },
    isAway: () => circuit.trouble() !== undefined || rests(),
    refused(error) {
      if (!refusal) onChange(error);
      refusal = { error, times: (refusal?.times ?? 0) + 1, since_ms: clock.now() };
    },
    async idle() {
      if (refusal && (await waiting()) === 0) taken();
    },
    trouble: () => refusal && toErrorBody(refusal.error),
  };
}
