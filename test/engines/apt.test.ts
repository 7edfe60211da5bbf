// What installing engines by apt-get does to a machine, with an apt-get and a sudo that only write down what they see.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { installDebianPackages } from '../../scripts/engines/apt.ts';

let directory: string;
let policy: string;
let log: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'haivemind-apt-'));
  policy = join(directory, 'policy-rc.d');
  log = join(directory, 'log');
  program('sudo', 'shift; exec "$@"');
  vi.stubEnv('PATH', `${directory}${delimiter}${process.env.PATH ?? ''}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

function program(name: string, text: string): void {
  writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** An apt-get that notes its words, then does `then` with the words in "$@". */
function aptGet(then: string): void {
  program('apt-get', `[ "$1" = --version ] && exit 0\necho "$*" >> ${log}\n${then}`);
}

function logged(): string[] {
  return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
}

const ASK_POLICY = (file: string, ...services: string[]) =>
  services
    .map((service) => `${file} ${service} '(start)'; echo "${service} $?" >> "$(dirname ${file})/log"`)
    .join('\n');

it('installs without asking, and keeps just the services of these packages from starting meanwhile', () => {
  aptGet(ASK_POLICY(policy, 'postgresql', 'redis-server', 'ssh'));
  expect(installDebianPackages(['postgresql', 'redis-server'], policy)).toBeUndefined();
  expect(logged()).toEqual([
    expect.stringMatching(/^install -q -y --no-install-recommends .*postgresql redis-server$/),
    'postgresql 101',
    'redis-server 101',
    'ssh 0',
  ]);
  expect(existsSync(policy)).toBe(false);
});

it('leaves nothing that would stop services later, where it is killed', () => {
  aptGet('kill -KILL $PPID; while kill -0 $PPID 2>/dev/null; do sleep 0.02; done');
  expect(installDebianPackages(['postgresql'], policy)).toContain('apt-get failed');
  program('ask', ASK_POLICY(policy, 'postgresql'));
  expect(existsSync(policy)).toBe(true);
  return vi.waitFor(() => {
    rmSync(log, { force: true });
    spawnSync(join(directory, 'ask'));
    expect(logged()).toEqual(['postgresql 0']);
  });
});

it('does not touch a policy that is there', () => {
  program('policy-rc.d', 'exit 7');
  aptGet(ASK_POLICY(policy, 'postgresql'));
  installDebianPackages(['postgresql'], policy);
  expect(logged().at(-1)).toBe('postgresql 7');
  expect(existsSync(policy)).toBe(true);
});

it('fetches the lists of packages only where it fails without', () => {
  aptGet(`[ "$1" = update ] && touch ${join(directory, 'updated')}\n[ -e ${join(directory, 'updated')} ]`);
  expect(installDebianPackages(['redis-server'], policy)).toBeUndefined();
  expect(logged().map((line) => line.split(' ')[0])).toEqual(['install', 'update', 'install']);
});

it("says apt-get's own words where it fails", () => {
  aptGet('echo "E: Unable to locate package $5" >&2; exit 100');
  expect(installDebianPackages(['redis-server'], policy)).toMatch(/^apt-get failed:\n[\s\S]*E: Unable to locate/);
  expect(existsSync(policy)).toBe(false);
});

it('says that there is no apt-get', () => {
  vi.stubEnv('PATH', directory);
  expect(installDebianPackages(['redis-server'], policy)).toBe('this machine has no apt-get');
});
