// Messages between hubs over coordination: values as JSON, without one's own echo, and questions that one hub answers.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Coordination } from '../storage/coordination/port.ts';
import type { Relay } from '../surfaces/runtime.ts';
import type { RelaySeal } from './relay-seal.ts';

export type RelayDeps = Pick<Coordination, 'member_id' | 'publish' | 'subscribe' | 'onGap'>;

const told = z.object({ from: z.string(), value: z.unknown() });
const asked = z.object({ ask_id: z.string(), value: z.unknown() });
const answered = z.object({ to: z.string(), ask_id: z.string(), value: z.unknown() });

/** Answers travel on one channel: who asked knows its questions by their ids. */
const ANSWERS = 'relay:answers';

export function createRelay(coordination: RelayDeps, seal: RelaySeal): Relay & Disposable {
  const { member_id } = coordination;
  const waiting = new Map<string, (value: unknown) => void>();

  async function publish(channel: string, message: unknown): Promise<void> {
    await coordination.publish(channel, JSON.stringify({ from: member_id, value: message }));
  }
  function subscribe(channel: string, listener: (message: unknown) => void): () => void {
    return coordination.subscribe(channel, (text) => {
      const message = read(told, text);
      if (message && message.from !== member_id) listener(message.value);
    });
  }
  const stop = subscribe(ANSWERS, (message) => {
    const answer = answered.safeParse(message).data;
    if (answer?.to === member_id) waiting.get(answer.ask_id)?.(answer.value);
  });

  return {
    member_id,
    publish,
    subscribe,
    onGap: coordination.onGap,
    public_key: seal.public_key,
    async ask(channel, question, { public_key, timeout_ms }) {
      const sealed = seal.seal(channel, question, public_key);
      const ask_id = randomUUID();
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const timer = setTimeout(() => resolve(undefined), timeout_ms);
      waiting.set(ask_id, resolve);
      try {
        await publish(`${channel}?`, { ask_id, value: sealed });
        return await promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(ask_id);
      }
    },
    answer(channel, answerer) {
      async function answerTo(from: string, { ask_id, value: sealed }: z.output<typeof asked>): Promise<void> {
        const opened = seal.open(channel, sealed);
        const answer = opened && answerer(opened.value);
        if (answer) await publish(ANSWERS, { to: from, ask_id, value: await answer });
      }
      return coordination.subscribe(`${channel}?`, (text) => {
        const message = read(told, text);
        if (!message || message.from === member_id) return;
        const question = asked.safeParse(message.value).data;
        // Where answering fails nobody is told: who asked learns it from the silence.
        if (question) void answerTo(message.from, question).catch(() => undefined);
      });
    },
    [Symbol.dispose]: stop,
  };
}

/** Undefined for what is no such message: another program may use the same engine. */
function read<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
