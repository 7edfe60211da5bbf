// Doctor's look into the configuration of MCP clients: a server that moved leaves them with a path that is gone.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { HealthCheck } from '../../runtime.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** One check per entry for this product that is found; none where no client is configured. */
export function checkClientConfigurations(env: Environment, cwd: string): HealthCheck[] {
  return placesOf(env, cwd).flatMap((file) => {
    const entries = entriesIn(file);
    if (entries === 'unreadable') {
      const fix = 'Mend the file: its client cannot read it either.';
      return [{ name: 'client', status: 'degraded' as const, detail: `${file} is not valid JSON`, fix }];
    }
    return entries.filter(isOurs).map((entry) => checkEntry(file, entry));
  });
}

function placesOf(env: Environment, cwd: string): string[] {
  const home = env.HOME ?? homedir();
  const application =
    process.platform === 'darwin'
      ? join(home, 'Library', 'Application Support')
      : (env.XDG_CONFIG_HOME ?? join(home, '.config'));
  return [
    join(env.CLAUDE_CONFIG_DIR ?? home, '.claude.json'),
    join(cwd, '.mcp.json'),
    join(application, 'Claude', 'claude_desktop_config.json'),
    join(home, '.cursor', 'mcp.json'),
    join(cwd, '.cursor', 'mcp.json'),
    join(cwd, '.vscode', 'mcp.json'),
    join(home, '.gemini', 'settings.json'),
  ];
}

interface Entry {
  readonly name: string;
  readonly words: readonly string[];
}

function entriesIn(file: string): readonly Entry[] | 'unreadable' {
  if (!existsSync(file)) return [];
  try {
    return serversIn(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return 'unreadable';
  }
}

/** Servers stand under mcpServers or servers, and in Claude Code's file once more below each project. */
function serversIn(value: unknown): Entry[] {
  if (!isRecord(value)) return [];
  const own = [value.mcpServers, value.servers].flatMap((servers) =>
    isRecord(servers) ? Object.entries(servers) : [],
  );
  const entries = own.map(([name, server]) => ({ name, words: isRecord(server) ? wordsOf(server) : [] }));
  const projects = isRecord(value.projects) ? Object.values(value.projects) : [];
  return [...entries, ...projects.flatMap(serversIn)];
}

function wordsOf(server: Readonly<Record<string, unknown>>): string[] {
  const args: unknown[] = Array.isArray(server.args) ? server.args : [];
  return [server.command, ...args].filter((word) => typeof word === 'string');
}

function isOurs(entry: Entry): boolean {
  return (
    entry.words.length > 0 && (/haivemind/i.test(entry.name) || entry.words.some((word) => /haivemind/i.test(word)))
  );
}

function checkEntry(file: string, entry: Entry): HealthCheck {
  const missing = entry.words.find((word) => isAbsolute(word) && !existsSync(word));
  if (missing === undefined) return { name: 'client', status: 'ok', detail: `${entry.name} in ${file}` };
  return {
    name: 'client',
    status: 'failed',
    detail: `${entry.name} in ${file} starts ${missing}, which does not exist`,
    fix: 'Run `haivemind init --client claude` (or another client) and put the new line in its place.',
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
