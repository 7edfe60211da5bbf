// `haivemind mcp` beside a running hub: a pipe between the client's stdin/stdout and the hub's socket that outlives
// the hub. Loads no SDK and no schemas, so that the process is small and there at once.
import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { limits } from '../../kernel/limits.ts';
import { HANDSHAKE_MAX_BYTES, type HubHello, handshakeLine, readWelcome } from './handshake.ts';
import { errorLine, idAtEdges, type LineReader, readLines } from './lines.ts';
import { createReplay } from './replay.ts';

/** Something that serves MCP over lines: the hub's socket, or a server inside this process. */
export interface Link {
  readonly readable: Readable;
  readonly writable: Writable;
  /** Tools that may be called again without harm; none where unsaid. */
  readonly repeatable?: readonly string[];
  /** Ends what is behind it, where that is part of this process. */
  close?(): Promise<void>;
}

export interface ProxyOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** The first connection, from connectHub. */
  readonly link: Link;
  /** Connects again after the hub went away; undefined where it is not there. */
  readonly reconnect: () => Promise<Link | undefined>;
  /** A server inside this process, for when the hub does not come back soon; left again when it does. */
  readonly fallback: () => Promise<Link>;
  /** How often a process that serves alone looks for the hub; default: 5 s. */
  readonly rejoin_interval_ms?: number;
  /** One line for people, to stderr. */
  readonly notice: (message: string) => void;
}

const RECONNECT_DELAYS_MS = [50, 150, 400, 900];
const REJOIN_INTERVAL_MS = 5_000;
const HUB_GONE = -32_000;
const TOO_LONG = -32_600;

/** Opens the hub's socket and shakes hands; undefined where no hub answers in time or it declines. */
export function connectHub(
  path: string,
  hello: HubHello,
  timeout_ms: number = limits.hub_probe_timeout_ms,
): Promise<Link | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true });
    const timer = setTimeout(() => settle(undefined), timeout_ms);
    let held = Buffer.alloc(0);
    function settle(link: Link | undefined): void {
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('close', onGone);
      socket.off('end', onGone);
      if (!link) socket.destroy();
      resolve(link);
    }
    function onGone(): void {
      settle(undefined);
    }
    function onData(chunk: Buffer): void {
      held = Buffer.concat([held, chunk]);
      const end = held.indexOf(10);
      if (end < 0) {
        if (held.length > HANDSHAKE_MAX_BYTES) settle(undefined);
        return;
      }
      const welcome = readWelcome(held.subarray(0, end).toString('utf8'));
      socket.off('data', onData);
      socket.pause();
      const rest = held.subarray(end + 1);
      if (rest.length > 0) socket.unshift(rest);
      settle(
        welcome && !welcome.error
          ? { readable: socket, writable: socket, repeatable: welcome.repeatable ?? [] }
          : undefined,
      );
    }
    socket.on('error', () => undefined);
    socket.on('data', onData);
    socket.on('close', onGone);
    socket.on('end', onGone);
    socket.once('connect', () => socket.write(handshakeLine(hello)));
  });
}

/** Pipes until the client is gone and has its answers. Never rejects. */
export function runProxy(options: ProxyOptions): Promise<void> {
  const { input, output } = options;
  const { promise: done, resolve: finish } = Promise.withResolvers<void>();
  const replay = createReplay();
  let link: Link | undefined;
  let linkReader: LineReader | undefined;
  let repeatable: ReadonlySet<string> = new Set();
  let inputEnded = false;
  let finished = false;

  const inputReader = readLines(input, limits.stdio_line_max_bytes, {
    onLine: fromClient,
    onOverlong: (head, tail) => toClient(tooLongLine(head, tail)),
    onEnd() {
      inputEnded = true;
      link?.writable.end();
    },
  });
  output.on('error', end);
  attach(options.link);
  return done;

  function attach(next: Link): void {
    linkReader?.detach();
    destroy(link);
    link = next;
    repeatable = new Set(next.repeatable);
    linkReader = readLines(next.readable, Number.POSITIVE_INFINITY, {
      onLine: (line) => link === next && fromHub(line),
      onOverlong: () => undefined,
      onEnd: () => link === next && void lost(),
    });
    next.writable.on('error', () => undefined);
    for (const line of replay.opening()) next.writable.write(`${line}\n`);
    inputReader.resume();
    if (inputEnded) next.writable.end();
  }

  function fromClient(line: string): void {
    replay.sent(line);
    // While no hub is there the input is paused; what was already read waits in the opening of the next link.
    if (!link) {
      replay.hold(line);
      return;
    }
    if (link.writable.write(`${line}\n`)) return;
    inputReader.pause();
    link.writable.once('drain', () => inputReader.resume());
  }

  function fromHub(line: string): void {
    if (replay.answered(line) === 'swallow') return;
    toClient(`${line}\n`);
  }

  function toClient(text: string): void {
    if (finished || output.write(text)) return;
    linkReader?.pause();
    output.once('drain', () => linkReader?.resume());
  }

  /** The hub ended the connection: properly because the client is done, or because it died. */
  async function lost(): Promise<void> {
    destroy(link);
    link = undefined;
    inputReader.pause();
    for (const id of replay.takeUncertain(repeatable)) toClient(errorLine(id, HUB_GONE, GONE_MESSAGE, { retry: true }));
    if (inputEnded) return giveUp();
    const next = await nextLink(options, () => inputEnded || finished);
    if (!next || finished) return giveUp();
    attach(next.link);
    if (next.alone) leave(next.link);
  }

  function leave(alone: Link): void {
    const isOver = (): boolean => link !== alone || finished || inputEnded;
    lookForHub(options, alone, { isOver, isIdle: replay.idle, to: attach });
  }

  function giveUp(): void {
    for (const id of replay.takeAll()) toClient(errorLine(id, HUB_GONE, GONE_MESSAGE, { retry: true }));
    end();
  }

  function end(): void {
    if (finished) return;
    finished = true;
    inputReader.detach();
    linkReader?.detach();
    input.pause();
    destroy(link);
    if (output.writable) output.write('', () => finish());
    else finish();
  }
}

interface NextLink {
  readonly link: Link;
  /** It is a server in this process. */
  readonly alone: boolean;
}

/** The hub again where it comes back soon, else a server in this process; undefined where neither is to be had. */
async function nextLink(options: ProxyOptions, stopped: () => boolean): Promise<NextLink | undefined> {
  for (const delay_ms of RECONNECT_DELAYS_MS) {
    await new Promise((resolve) => setTimeout(resolve, delay_ms));
    if (stopped()) return undefined;
    const link = await options.reconnect();
    if (link) {
      options.notice('The hub is back.');
      return { link, alone: false };
    }
  }
  options.notice('The hub did not come back; this process serves alone until it does.');
  try {
    return { link: await options.fallback(), alone: true };
  } catch (error) {
    options.notice(`Cannot serve alone: ${messageOf(error)}`);
    return undefined;
  }
}

interface Crossing {
  /** The process serves alone no longer, or nobody any more. */
  isOver(): boolean;
  isIdle(): boolean;
  to(next: Link): void;
}

/** Alone it hears of no changes that others make: back to a hub, in a moment in which nothing is asked. */
function lookForHub(options: ProxyOptions, alone: Link, crossing: Crossing): void {
  const { isOver, isIdle } = crossing;
  const look = async (): Promise<void> => {
    const next = !isOver() && isIdle() ? await options.reconnect() : undefined;
    if (!next || isOver() || !isIdle()) {
      destroy(next);
      if (!isOver()) lookForHub(options, alone, crossing);
      return;
    }
    crossing.to(next);
    options.notice('The hub is back.');
    await alone.close?.();
  };
  const failed = (error: unknown): void => options.notice(`Leaving the own server failed: ${messageOf(error)}`);
  setTimeout(() => void look().catch(failed), options.rejoin_interval_ms ?? REJOIN_INTERVAL_MS).unref();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function destroy(link: Link | undefined): void {
  link?.readable.destroy();
  link?.writable.destroy();
}

function tooLongLine(head: string, tail: string): string {
  const message = `The line is longer than ${limits.stdio_line_max_bytes} bytes. Send less at once.`;
  return errorLine(idAtEdges(head, tail), TOO_LONG, message);
}

const GONE_MESSAGE =
  'The hub went away before it answered. Send the request again; storing the same text twice gives the same memory.';
