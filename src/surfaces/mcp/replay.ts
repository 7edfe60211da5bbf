// What a proxy remembers of a connection, so that a new hub can take it over without the client noticing.

type Id = string | number;

export interface Replay {
  /** Notes a line the client sent. */
  sent(line: string): void;
  /** Keeps a line for the next hub, because none is there. */
  hold(line: string): void;
  /**
   * Notes a line from the hub; `swallow` where it answers something the client did not ask again, or ends a stream of
   * news that the next hub goes on with.
   */
  answered(line: string): 'pass' | 'swallow';
  /**
   * Tool calls the lost hub had and may or may not have done: their ids, forgotten here, to be answered with an error.
   * Everything else in flight, calls of repeatable tools included, is asked again by `opening`.
   */
  takeUncertain(repeatable?: ReadonlySet<string>): Id[];
  /** All requests without an answer, for when nobody will give one any more. */
  takeAll(): Id[];
  /** Nothing is asked that was not answered, but for streams of news: a moment to go over to another hub. */
  idle(): boolean;
  /** Lines to send to a new hub before anything else. */
  opening(): string[];
}

interface Message {
  readonly id?: Id;
  readonly method?: string;
  readonly params?: {
    readonly uri?: string;
    readonly requestId?: Id;
    readonly name?: string;
    readonly _meta?: Readonly<Record<string, unknown>>;
  };
  readonly error?: unknown;
}

interface Sent {
  readonly line: string;
  readonly method: string;
  readonly tool: string | undefined;
}

/** The one request that has no answer for as long as it holds (2026-07-28). */
const LISTEN = 'subscriptions/listen';
const LISTENING = 'notifications/subscriptions/acknowledged';
const LISTEN_ID_META_KEY = 'io.modelcontextprotocol/subscriptionId';

/** Subscriptions of one connection, as a hub has it, and what else there is to say to a new one. */
const STATE_MAX_COUNT = 1_010;
/** Said once and in force for the rest of the connection: a new hub has to hear them too. */
const STATE_METHODS: ReadonlySet<string> = new Set(['initialize', 'notifications/initialized', 'logging/setLevel']);

export function createReplay(): Replay {
  /** Lines of lasting effect, by what they set. */
  const state = new Map<string, { line: string; id: Id | undefined }>();
  const pending = new Map<Id, Sent>();
  const swallowed = new Set<Id>();
  /** Streams of news of which the client knows that they are open. */
  const listening = new Set<Id>();
  let held: string[] = [];

  function remember(key: string, line: string, id: Id | undefined): void {
    if (state.size < STATE_MAX_COUNT || state.has(key)) state.set(key, { line, id });
  }

  function noteState(message: Message, line: string): void {
    const { method, id, params } = message;
    if (method === undefined) return;
    if (STATE_METHODS.has(method)) remember(method, line, id);
    else if (method === 'resources/subscribe') remember(`subscribe ${params?.uri}`, line, id);
    else if (method === 'resources/unsubscribe') state.delete(`subscribe ${params?.uri}`);
    else if (method === 'notifications/cancelled' && params?.requestId !== undefined) forget(params.requestId);
  }

  function forget(id: Id): void {
    pending.delete(id);
    listening.delete(id);
  }

  /** An answer that ends a stream of news without an error says that the hub goes, not that there is no more to hear. */
  function isHubsEnd({ id, error }: Message): boolean {
    return id !== undefined && error === undefined && pending.get(id)?.method === LISTEN;
  }

  function noteRefusal(id: Id): void {
    const { line, method } = pending.get(id) ?? {};
    if (method !== 'resources/subscribe') return;
    for (const [key, kept] of state) if (kept.line === line) state.delete(key);
  }

  function opensAgain({ method, params }: Message): boolean {
    const id = params?._meta?.[LISTEN_ID_META_KEY];
    if (method !== LISTENING || !isId(id) || !pending.has(id)) return false;
    const known = listening.has(id);
    listening.add(id);
    return known;
  }

  function take(wanted: (sent: Sent) => boolean): Id[] {
    const ids = [...pending].filter(([, sent]) => wanted(sent)).map(([id]) => id);
    for (const id of ids) forget(id);
    return ids;
  }

  return {
    sent(line) {
      const message = parse(line);
      noteState(message, line);
      if (message.id !== undefined && message.method !== undefined)
        pending.set(message.id, { line, method: message.method, tool: message.params?.name });
    },
    hold(line) {
      held.push(line);
    },
    answered(line) {
      const message = parse(line);
      if (message.id === undefined || message.method !== undefined) return opensAgain(message) ? 'swallow' : 'pass';
      if (swallowed.delete(message.id) || isHubsEnd(message)) return 'swallow';
      if (message.error !== undefined) noteRefusal(message.id);
      forget(message.id);
      return 'pass';
    },
    takeUncertain: (repeatable) =>
      take(({ method, tool, line }) => {
        const harmless = method !== 'tools/call' || (tool !== undefined && repeatable?.has(tool) === true);
        return !harmless && !held.includes(line);
      }),
    takeAll: () => take(() => true),
    idle: () => held.length === 0 && [...pending.values()].every(({ method }) => method === LISTEN),
    opening() {
      const waiting = new Set(held);
      held = [];
      const lines: string[] = [];
      for (const { line, id } of state.values()) {
        if (waiting.has(line)) continue;
        // Answered once already: the client must not see a second answer.
        if (id !== undefined && !pending.has(id)) swallowed.add(id);
        lines.push(line);
      }
      const said = new Set([...lines, ...waiting]);
      const again = [...pending.values()].map((sent) => sent.line).filter((line) => !said.has(line));
      return [...lines, ...again, ...waiting];
    },
  };
}

function isId(value: unknown): value is Id {
  return typeof value === 'string' || typeof value === 'number';
}

function parse(line: string): Message {
  try {
    const message: unknown = JSON.parse(line);
    return typeof message === 'object' && message !== null ? (message as Message) : {};
  } catch {
    return {};
  }
}
