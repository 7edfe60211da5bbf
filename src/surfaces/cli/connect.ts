// How clients reach this installation: the exact lines to copy, with absolute paths, for each client that is known.
import { failure } from '../../kernel/errors.ts';

export interface Installation {
  /** Absolute path of the Node that runs this. */
  readonly node: string;
  /** Absolute path of dist/cli.js. */
  readonly entry: string;
  /** Base URL of the hub, without a slash at the end. */
  readonly url: string;
  /** Set where it is not the default one: the client has to be told. */
  readonly data_dir?: string;
  /** The hub is not on this machine: clients reach it over HTTP alone, with a token. */
  readonly remote?: boolean;
  /** Over HTTP it takes a token. */
  readonly token?: boolean;
}

export const MAKE_TOKEN = 'haivemind token create --user <name>';

type Snippet = (installation: Installation) => string;

/** Ready to paste, per client. */
const CLIENTS: Readonly<Record<string, Snippet>> = {
  claude: (it) =>
    [
      '# Claude Code over stdio: starts by itself, needs no running hub',
      claudeStdio(it),
      `# or over HTTP, through the running hub${it.token ? `; a token: ${MAKE_TOKEN}` : ''}`,
      claudeHttp(it),
    ].join('\n'),
  'claude-desktop': (it) => `# claude_desktop_config.json\n${json({ mcpServers: { haivemind: server(it) } })}`,
  cursor: (it) => `# ~/.cursor/mcp.json\n${json({ mcpServers: { haivemind: server(it) } })}`,
  vscode: (it) => `# .vscode/mcp.json\n${json({ servers: { haivemind: { type: 'stdio', ...server(it) } } })}`,
  gemini: (it) => `# ~/.gemini/settings.json\n${json({ mcpServers: { haivemind: server(it) } })}`,
  codex: (it) =>
    [
      '# ~/.codex/config.toml',
      '[mcp_servers.haivemind]',
      `command = ${JSON.stringify(it.node)}`,
      `args = ${JSON.stringify([it.entry, 'mcp'])}`,
      ...(it.data_dir ? [`env = { HAIVEMIND_DATA_DIR = ${JSON.stringify(it.data_dir)} }`] : []),
    ].join('\n'),
  http: (it) =>
    `# any client that speaks MCP over HTTP${needsToken(it) ? `; a token: ${MAKE_TOKEN}` : ''}\n${json({ mcpServers: { haivemind: httpServer(it) } })}`,
};

/** Throws `invalid_input` naming the clients that are known. */
export function clientSnippet(client: string, installation: Installation): string {
  const snippet = Object.hasOwn(CLIENTS, client) ? CLIENTS[client] : undefined;
  if (snippet) return `${(installation.remote ? remoteSnippet(client) : snippet)(installation)}\n`;
  throw failure(
    'invalid_input',
    `There are no lines for a client called ${client}.`,
    `Known: ${Object.keys(CLIENTS).join(', ')}.`,
  );
}

/** Clients whose configuration has no place for a header are told what to write where they have one. */
function remoteSnippet(client: string): Snippet {
  if (client !== 'claude') return CLIENTS.http ?? claudeHttp;
  return (it) =>
    `# Claude Code over HTTP; an administrator of the hub makes the token: ${MAKE_TOKEN}\n${claudeHttp(it)}`;
}

export function claudeStdio(it: Installation): string {
  const env = it.data_dir ? `-e ${shellWord(`HAIVEMIND_DATA_DIR=${it.data_dir}`)} ` : '';
  return `claude mcp add haivemind ${env}-- ${shellWord(it.node)} ${shellWord(it.entry)} mcp`;
}

export function claudeHttp(it: Installation): string {
  const header = needsToken(it) ? ' --header "Authorization: Bearer <token>"' : '';
  return `claude mcp add --transport http haivemind ${it.url}/mcp${header}`;
}

function needsToken({ remote, token }: Installation): boolean {
  return remote === true || token === true;
}

function server(it: Installation): Readonly<Record<string, unknown>> {
  const env = it.data_dir ? { env: { HAIVEMIND_DATA_DIR: it.data_dir } } : {};
  return { command: it.node, args: [it.entry, 'mcp'], ...env };
}

function httpServer(it: Installation): Readonly<Record<string, unknown>> {
  const headers = needsToken(it) ? { headers: { Authorization: 'Bearer <token>' } } : {};
  return { type: 'http', url: `${it.url}/mcp`, ...headers };
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** One word for a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
