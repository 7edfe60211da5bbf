// The built command as people and scripts use it: answers, exit codes, pipes, with a hub and without.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALNUM, seededRandom } from '../bench/redaction/random.ts';
import { cliPath, ended, ensureBuilt, makePlace, node24, type Place } from './cli-binary.ts';

let place: Place;

beforeAll(() => {
  ensureBuilt();
  place = makePlace();
});
afterAll(() => place.remove());

const version: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')).version;

describe('help and version', () => {
  it.each(['--version', '-V', 'version'])('%s prints the version alone', async (word) => {
    expect(await place.run([word])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('lists groups and commands, without touching the data directory', async () => {
    const { code, stdout } = await place.run(['--help']);
    expect(code).toBe(0);
    for (const word of [
      'search',
      'store',
      'memory',
      'mcp',
      'up',
      'doctor',
      'import',
      'export',
      'backup',
      'completion',
    ]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${word}\\b`, 'm'));
    }
    expect(() => readFileSync(place.data_dir)).toThrow('ENOENT');
  });

  it.each([[['keyring', '--help']], [['memory', 'forget', '-h']], [['--help', 'keyring']]])(
    '%j names no command, so there is no help of it',
    async (words) => {
      const ran = await place.run(words);
      expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Unknown command') });
    },
  );

  it.each([[['memory', '--help']], [['mode', 'set', '--help']], [['help', 'search']]])('%j is help', async (words) => {
    expect(await place.run(words)).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage:'), stderr: '' });
  });

  it.each([[['memory']], [['serch', 'x']], [['search', '--limt', '3']], [['search', '--limit', 'many']], [['import']]])(
    '%j is a usage error',
    async (words) => {
      const ran = await place.run(words);
      expect(ran).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).not.toMatch(/^\s+at /m);
    },
  );

  it('suggests what was meant', async () => {
    const { stderr } = await place.run(['search', 'x', '--limt', '3']);
    expect(stderr).toBe("error: Unknown option '--limt'.\nhint: Did you mean --limit?\n");
  });
});

/** The same commands must work whether they open the store themselves or a hub does the work. */
describe.each([{ hub: false }, { hub: true }])('operations, hub running: $hub', ({ hub }) => {
  let here: Place;

  beforeAll(async () => {
    here = makePlace();
    if (hub) await here.serve(['serve']);
  });
  afterAll(() => here.remove());

  async function json(words: readonly string[], input?: string): Promise<Record<string, unknown>> {
    const ran = await here.run([...words, '--json'], input === undefined ? {} : { input });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    return JSON.parse(ran.stdout);
  }

  it('stores, finds and shows a memory', async () => {
    const stored = await json([
      'store',
      'kube-proxy was out of conntrack entries',
      '--category',
      'incidents',
      '--tags',
      'k8s,net',
    ]);
    expect(stored.memory_id).toEqual(expect.any(String));
    const found = await json(['search', 'kube-proxy conntrack', '--limit', '3']);
    const lists = Object.values(found).filter((value) => Array.isArray(value));
    const [first] = lists.flat();
    expect(first).toMatchObject({ memory_id: stored.memory_id, content: 'kube-proxy was out of conntrack entries' });
    expect(first).toEqual(expect.objectContaining({ score: expect.any(Number), metadata: expect.any(Object) }));
    const piped = await here.run(['search', 'kube-proxy conntrack', '--limit', '3']);
    expect(piped.stdout.split('\n')[0]).toContain('kube-proxy was out of conntrack entries');
    expect(piped.stdout).not.toContain('\u001b');
  });

  it('reads text from standard input and from a file, byte for byte', async () => {
    const text = 'first line\n\tsecond "line" with $HOME, `ticks` and ünïcödé ✓\n\nlast';
    const fromStdin = await json(['store', '-'], `${text}\n`);
    writeFileSync(join(here.home, 'note.txt'), `${text}\n`);
    const fromFile = await json(['store', '@note.txt']);
    expect(fromFile.memory_id).toBe(fromStdin.memory_id);
    expect(await json(['memory', 'get', String(fromFile.memory_id)])).toMatchObject({ content: text });
  });

  it('takes objects as JSON and repeated lists', async () => {
    const stored = await json([
      'store',
      'flags',
      '--metadata',
      '{"a":{"b":1}}',
      '--tags',
      'one',
      '--tags',
      'two,three',
    ]);
    expect(await json(['memory', 'get', '--memory_id', String(stored.memory_id)])).toMatchObject({
      metadata: { a: { b: 1 } },
      tags: ['one', 'two', 'three'],
    });
  });

  it.each([
    [['memory', 'get', 'mem_00000000000000000000000000'], 3, 'not_found'],
    [['search', 'x', '--category', 'nonsense'], 2, 'invalid_input'],
    [['store', '   '], 2, 'invalid_input'],
    [['store', '@missing.txt'], 3, 'not_found'],
  ])('%j ends with %i', async (words, code, name) => {
    const ran = await here.run(words);
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toMatch(/^error: .+\nhint: .+\n$/);
    const asJson = await here.run([...words, '--json']);
    expect(asJson).toMatchObject({ code, stdout: '' });
    expect(JSON.parse(asJson.stderr)).toMatchObject({
      error: { code: name, message: expect.any(String), hint: expect.any(String) },
    });
  });

  it('imports files, directories and standard input once, and names what it skipped', async () => {
    const lines = ['{"content":"imported one"}', 'not json', '{"content":"imported two","tags":["x"]}'];
    mkdirSync(join(here.home, 'notes'), { recursive: true });
    writeFileSync(join(here.home, 'notes', 'some.jsonl'), `${lines.join('\n')}\n`);
    const first = await here.run(['import', 'notes']);
    expect(first).toMatchObject({ code: 0, stdout: '2 stored, 0 already there or skipped, 1 problems, 1 file\n' });
    expect(first.stderr).toMatch(/^some\.jsonl:2: /);
    const again = await here.run(['import', '-', '--json'], { input: `${lines.join('\n')}\n` });
    const events = again.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.at(-1)).toMatchObject({ type: 'summary', stored: 0, skipped: 2, problems: 1 });
  });

  it('exports what can be imported elsewhere', async () => {
    const there = makePlace();
    try {
      const exported = await here.run(['export', '-o', 'all.jsonl', '--json']);
      expect(exported).toMatchObject({ code: 0, stderr: '' });
      const { path, bytes } = JSON.parse(exported.stdout);
      expect(readFileSync(path)).toHaveLength(bytes);
      const lines = readFileSync(path, 'utf8').trim().split('\n');
      const imported = await there.run(['import', path, '--json']);
      expect(JSON.parse(imported.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
        stored: lines.length,
        problems: 0,
      });
    } finally {
      await there.remove();
    }
  });

  it('imports into a team, and says where to keep the secrets it found', async () => {
    const { team_id } = await json(['team', 'create', 'Payments']);
    const secret = `ghp_${seededRandom(hub ? 1 : 2).text(ALNUM, 36)}`;
    const line = `${JSON.stringify({ content: `deploy with ${secret}`, tags: [hub ? 'hub' : 'store'] })}\n`;
    const ran = await here.run(['import', '-', '--team', String(team_id)], { input: line });
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(ran.stdout).toMatch(/^1 stored, .+\n1 secret replaced by markers \(.+\): .*`haivemind vault store`.*\n$/);
    expect(`${ran.stdout}${ran.stderr}`).not.toContain(secret);
    const exported = await here.run(['export']);
    const own = exported.stdout.split('\n').filter((text) => text.includes('"team_id"'));
    expect(own.map((text) => JSON.parse(text))).toContainEqual(expect.objectContaining({ scope: 'team', team_id }));
    const input = '{"content":"nothing of it"}\n';
    const none = ['import', '-', '--team', 'team_00000000000000000000000000'];
    expect(await here.run(none, { input })).toMatchObject({ code: 3, stdout: '' });
    const both = ['import', '-', '--team', String(team_id), '--scope', 'solo'];
    expect(await here.run(both, { input })).toMatchObject({ code: 2, stdout: '' });
  });

  it('backs up while in use, and restores only with consent', async () => {
    const backup = await json(['backup', 'copy.db']);
    expect(backup.memories).toEqual(expect.any(Number));
    expect(await here.run(['backup', 'copy.db'])).toMatchObject({ code: 1 });
    const there = makePlace();
    try {
      const copy = join(here.home, 'copy.db');
      expect(await there.run(['restore', copy])).toMatchObject({ code: 4 });
      expect(await there.run(['restore', copy, '--yes'])).toMatchObject({ code: 0 });
      const found = await there.run(['search', 'conntrack']);
      expect(found.stdout).toContain('kube-proxy was out of conntrack entries');
    } finally {
      await there.remove();
    }
    if (hub) expect(await here.run(['restore', join(here.home, 'copy.db'), '--yes'])).toMatchObject({ code: 1 });
  });

  it('is healthy to the doctor', async () => {
    const ran = await here.run(['doctor', '--json']);
    const report = JSON.parse(ran.stdout);
    const failed = report.checks.filter((check: { status: string }) => check.status === 'failed');
    expect(failed).toEqual([]);
    expect(ran.code).toBe(0);
    expect((await here.run(['doctor'])).stdout).toMatch(/^ok +node/);
  });
});

describe('doctor', () => {
  it('names a configuration that is broken, wherever it lies, and checks the rest', async () => {
    const here = makePlace();
    try {
      mkdirSync(here.data_dir);
      writeFileSync(join(here.data_dir, 'config.json'), '{"server":');
      for (const env of [{}, { HAIVEMIND_CONFIG: join(here.home, 'missing.json') }]) {
        const ran = await here.run(['doctor'], { env });
        expect(ran).toMatchObject({ code: 1, stderr: '' });
        expect(ran.stdout).toMatch(/^FAILED +configuration .+\n +fix: /m);
      }
    } finally {
      await here.remove();
    }
  });

  it('finds a client that starts a path which is gone', async () => {
    const here = makePlace();
    try {
      const server = { command: join(here.home, 'gone', 'node'), args: [cliPath, 'mcp'] };
      writeFileSync(join(here.home, '.claude.json'), JSON.stringify({ mcpServers: { haivemind: server } }));
      const ran = await here.run(['doctor']);
      expect(ran.code).toBe(1);
      expect(ran.stdout).toMatch(/^FAILED +client .+gone.node, which does not exist\n +fix: /m);
    } finally {
      await here.remove();
    }
  });
});

describe.each([{ hub: false }, { hub: true }])('the mode of a session, hub running: $hub', ({ hub }) => {
  it('holds in child shells and pipelines that share its name, and is told once', async () => {
    const here = makePlace();
    try {
      if (hub) await here.serve(['serve']);
      const made = await here.run(['team', 'create', 'ops', '--json']);
      const { team_id } = JSON.parse(made.stdout) as { team_id: string };
      const cli = `"${node24}" "${cliPath}"`;
      const script = `${cli} mode set team ${team_id} >/dev/null; (echo kept | bash -c '${cli} store -; true'); true`;
      const shared = spawn('bash', ['-c', script], {
        env: { ...here.env, HAIVEMIND_SESSION: 'deploy' },
        stdio: 'pipe',
      });
      const ran = await ended(shared);
      expect(ran.stdout).toContain('memory_id');
      expect(`${ran.stdout}${ran.stderr}`.match(/operating_mode/g)).toHaveLength(1);
      expect(`${ran.stdout}${ran.stderr}`).toContain('team');
      const unnamed = await here.run(['mode', 'get', '--json']);
      expect(JSON.parse(unnamed.stdout)).toMatchObject({ mode: 'solo' });
      const wrong = await here.run(['mode', 'get'], { env: { HAIVEMIND_SESSION: 'two words' } });
      expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('HAIVEMIND_SESSION') });
    } finally {
      await here.remove();
    }
  });
});

describe('pipes', () => {
  it('ends quietly when the reader has seen enough', async () => {
    const shell = spawn('bash', ['-c', `"${node24}" "${cliPath}" --help | head -n 1; echo "\${PIPESTATUS[0]}"`], {
      env: place.env,
      stdio: 'pipe',
    });
    const ran = await ended(shell);
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toMatch(/^Usage: haivemind .*\n0\n$/);
  });

  it('survives a stdout that is closed from the start', async () => {
    const shell = spawn('bash', ['-c', `"${node24}" "${cliPath}" export >&-`], { env: place.env, stdio: 'pipe' });
    const ran = await ended(shell);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });
});

describe('init', () => {
  it('writes a configuration that is valid, once', async () => {
    const here = makePlace();
    try {
      const first = await here.run(['init', '--json']);
      expect(first.code).toBe(0);
      const { path } = JSON.parse(first.stdout);
      expect(await here.run(['init'])).toMatchObject({ code: 4 });
      expect(await here.run(['doctor', '--config', path])).toMatchObject({ code: 0 });
    } finally {
      await here.remove();
    }
  });

  it.each(['claude', 'claude-desktop', 'cursor', 'vscode', 'codex', 'gemini'])(
    'names existing paths for %s',
    async (client) => {
      const { code, stdout } = await place.run(['init', '--client', client]);
      expect(code).toBe(0);
      expect(stdout).toContain(node24);
      expect(stdout).toContain(cliPath);
      expect(stdout).toContain(place.data_dir);
    },
  );

  it('says which clients it knows', async () => {
    expect(await place.run(['init', '--client', 'abacus'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cursor'),
    });
  });
});
