// A server that is away is asked rarely, beside the callers, and taken back as soon as it answers.
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../kernel/clock.ts';
import { failure } from '../../../kernel/errors.ts';
import { createCircuit } from './served-circuit.ts';

const away = () => failure('unavailable', 'It cannot be reached.', 'Start it.');

function make({ search_timeout_ms = 60_000 } = {}) {
  const clock = virtualClock();
  const state = { up: false, asked: 0, probed: 0 };
  const told: unknown[] = [];
  const circuit = createCircuit({
    clock,
    place: 'the test',
    search_timeout_ms,
    probe: async () => {
      state.probed++;
      if (!state.up) throw away();
    },
    onChange: (error) => told.push(error === undefined ? 'back' : 'away'),
  });
  const ask = () =>
    circuit.ask(async () => {
      state.asked++;
      if (!state.up) throw away();
      return 'answer';
    });
  return { clock, state, told, circuit, ask };
}

describe('a server that is away', () => {
  it('is not asked by callers, and looked for after pauses that double up to ten seconds', async () => {
    const { clock, state, told, circuit, ask } = make();
    await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
    expect(circuit.trouble()).toMatchObject({ message: 'It cannot be reached.' });
    const pauses: number[] = [];
    for (let looks = 1; looks <= 8; looks++) {
      const since_ms = clock.now();
      while (state.probed < looks) {
        clock.advance(50);
        await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
        await circuit.look();
      }
      pauses.push(clock.now() - since_ms);
    }
    expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect([state.asked, told]).toEqual([1, ['away']]);
  });

  it('is asked again once it was seen to answer', async () => {
    const { clock, state, told, circuit, ask } = make();
    await expect(ask()).rejects.toThrow();
    state.up = true;
    await expect(ask()).rejects.toThrow();
    clock.advance(250);
    // This one is not made to wait for the look it causes.
    await expect(ask()).rejects.toThrow();
    await circuit.look();
    expect(circuit.trouble()).toBeUndefined();
    expect(await ask()).toBe('answer');
    expect([state.probed, told]).toEqual([1, ['away', 'back']]);
  });

  it('is taken for away where it does not answer in time', async () => {
    const { circuit } = make({ search_timeout_ms: 20 });
    const silent = circuit.ask(() => new Promise(() => {}));
    await expect(silent).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('within 20 ms'),
    });
    expect(circuit.trouble()).toBeDefined();
  });

  it('is not taken for away because a caller gave up, or one memory was refused', async () => {
    const { circuit } = make();
    const reason = new Error('nobody waits');
    const controller = new AbortController();
    const asked = circuit.ask(
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      controller.signal,
    );
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await expect(circuit.ask(() => Promise.reject(failure('internal', 'Not this one.', '')))).rejects.toThrow();
    expect(circuit.trouble()).toBeUndefined();
  });

  it('is looked for at once where something else fails, and left alone only where it does not answer', async () => {
    const { state, told, circuit } = make();
    state.up = true;
    await circuit.doubt();
    expect(circuit.trouble()).toBeUndefined();
    state.up = false;
    await circuit.doubt();
    expect(circuit.trouble()).toMatchObject({ code: 'unavailable' });
    await circuit.doubt();
    expect([state.probed, told]).toEqual([2, ['away']]);
  });
});
