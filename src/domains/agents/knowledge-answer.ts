// Asking an agent itself: a question into its inbox, and the answer when it comes. The question and a late answer stay in
// the inboxes, whoever waits or stops waiting.
import type { OperationContext } from '../../kernel/operation.ts';
import type { AgentDeps } from './deps.ts';
import { inboxFull } from './errors.ts';
import { type MessageRow, postMessages } from './messages.ts';
import type { AgentRow } from './repository.ts';

/** Looked for so often where no news of a change came: another hub's may be lost. */
const LOOK_INTERVAL_MS = 1_000;

/** Puts the question into the agent's inbox. Returns the message. Errors: `limit_exceeded` where the inbox is full. */
export async function ask(
  { store, redact, changed }: AgentDeps,
  agent: Pick<AgentRow, 'agent_id' | 'user_id'>,
  question: string,
  { principal }: OperationContext,
): Promise<MessageRow> {
  const body = (await redact(question)).text;
  const [posted] = await store.write((trx) => postMessages(store, trx, principal, [agent], { kind: 'question', body }));
  if (!posted) throw inboxFull(agent.agent_id);
  changed('inbox', agent.agent_id);
  return posted;
}

/**
 * The answer to a question; undefined where none came in time. Ends with the call's signal. An answer stays in the
 * asker's inbox until it is acknowledged, as every message does.
 */
export async function awaitAnswer(
  { store, onChanged }: Pick<AgentDeps, 'store' | 'onChanged'>,
  question: MessageRow,
  timeout_ms: number,
  { signal, reportProgress }: OperationContext,
): Promise<MessageRow | undefined> {
  const started_ms = performance.now();
  let look = Promise.withResolvers<void>();
  const stop = onChanged((kind, id) => {
    if (kind === 'inbox' && id === question.from_agent_id) look.resolve();
  });
  const abort = () => look.resolve();
  signal.addEventListener('abort', abort);
  try {
    for (;;) {
      signal.throwIfAborted();
      const answer = await answerTo(store, question);
      const waited_ms = performance.now() - started_ms;
      if (answer || waited_ms >= timeout_ms) return answer;
      reportProgress({
        done: Math.floor(waited_ms / 1000),
        total: Math.ceil(timeout_ms / 1000),
        message: `waiting for ${question.to_agent_id}`,
      });
      const timer = setTimeout(look.resolve, Math.min(LOOK_INTERVAL_MS, timeout_ms - waited_ms));
      await look.promise;
      clearTimeout(timer);
      look = Promise.withResolvers<void>();
    }
  } finally {
    stop();
    signal.removeEventListener('abort', abort);
  }
}

/** The first answer, of the one who was asked to the one who asked. */
function answerTo(store: AgentDeps['store'], question: MessageRow): Promise<MessageRow | undefined> {
  return store.db
    .selectFrom('agent_messages')
    .selectAll()
    .where('reply_to', '=', question.message_id)
    .where('from_user_id', '=', question.to_user_id)
    .where('from_agent_id', '=', question.to_agent_id)
    .where('to_user_id', '=', question.from_user_id)
    .orderBy('message_id')
    .limit(1)
    .executeTakeFirst();
}
