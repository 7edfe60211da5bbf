// The two commands of a fresh clone, `npm start` and `npm test`. Plain JavaScript without dependencies that runs on
// Node 18 and later: it installs and builds what is missing, then hands over to the Node the project brings along.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STAMP_FILE, sourceHash } from './source-hash.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const NODE_MAJOR_MIN = 18;
const NPM_MAJOR_MIN = 9;
/** Free disk space that an installation needs; node_modules takes about 0.7 GB of it. */
const INSTALL_SPACE_MIN_MB = 1500;

/** A failure the reader can mend: printed without a stack trace. */
class SetupError extends Error {
  constructor(message, fix) {
    super(message);
    this.fix = fix;
  }
}

async function main(command) {
  switch (command) {
    case 'start':
      prepare();
      return handOver(['dist/cli.js', 'up', '--welcome', ...process.argv.slice(3)]);
    case 'test':
      return test([]);
    case 'nightly':
      return test(['--nightly']);
    case 'prepare':
      prepare();
      return 0;
    default:
      throw new SetupError(
        `unknown command ${JSON.stringify(command ?? '')}`,
        'Use npm start, npm test or npm run test:nightly.',
      );
  }
}

async function test(words) {
  install();
  const engines = await handOver(['scripts/prepare-engines.ts']);
  return engines === 0 ? handOver(['scripts/test.ts', ...words, ...process.argv.slice(3)]) : engines;
}

function prepare() {
  install();
  build();
}

/**
 * Runs npm ci where node_modules is missing, incomplete or from another package-lock.json, says so, and proves that the
 * Node among the packages starts here. The stamp is written last: an installation that was interrupted or does not
 * verify starts over.
 */
function install() {
  checkNode();
  const lock = readIn(root, 'package-lock.json');
  const wanted = createHash('sha256').update(lock).digest('hex');
  const stamp = join(root, 'node_modules', '.haivemind-installed');
  if (readIfPresent(stamp) === wanted && fs.existsSync(nodeBinary())) return;
  const npm = npmCommand();
  checkSpace();
  say('installing packages from the npm registry (npm ci), once');
  let result = runNpm(npm, ['ci']);
  if (result.status !== 0 && LOCK_REFUSED.test(result.stderr)) {
    // A registry that lacks optional packages of other platforms makes `npm ci` refuse the lock; `npm install` takes
    // the same versions from it and passes over what is not there.
    say('npm ci refused package-lock.json; installing the versions it names with npm install');
    result = runNpm(npm, ['install', '--no-save']);
  }
  process.stderr.write(result.stderr);
  if (result.status !== 0) throw installError(result);
  checkRuntime();
  fs.writeFileSync(stamp, wanted);
}

const LOCK_REFUSED = /can only install packages when your package\.json and package-lock\.json/;

function runNpm(npm, words) {
  const result = spawnSync(
    npm.command,
    [...npm.args, ...words, '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, ...INSTALL_ENVIRONMENT },
    },
  );
  const trouble = result.error ? `${result.error.message}\n` : '';
  return { status: result.status, signal: result.signal, stderr: `${result.stderr ?? ''}${trouble}` };
}

/** Nothing may be downloaded from anywhere but the npm registry. */
const INSTALL_ENVIRONMENT = {
  ONNXRUNTIME_NODE_INSTALL: 'skip',
  ONNXRUNTIME_NODE_INSTALL_CUDA: 'skip',
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1',
  PUPPETEER_SKIP_DOWNLOAD: '1',
  NODE_ENV: '',
};

function checkNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) return;
  throw new SetupError(
    `Node.js ${process.version} is too old to set this project up.`,
    `Install Node.js 20 or later from https://nodejs.org; the project then brings its own Node 24.`,
  );
}

/** npm as it was started, so that one without a place on PATH works too. */
function npmCommand() {
  const started = process.env.npm_execpath;
  const found =
    started && /npm-cli\.c?js$/.test(started) && fs.existsSync(started)
      ? { command: process.execPath, args: [started] }
      : { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] };
  const answer = spawnSync(found.command, [...found.args, '--version'], { encoding: 'utf8', cwd: root });
  const version = (answer.stdout ?? '').trim();
  if (answer.status !== 0) {
    throw new SetupError('npm was not found.', 'Install npm (it comes with Node.js from https://nodejs.org).');
  }
  if (Number(version.split('.')[0]) < NPM_MAJOR_MIN) {
    throw new SetupError(`npm ${version} is too old.`, 'Run: npm install --global npm@10');
  }
  return found;
}

function checkSpace() {
  // Node 18.15 and later; before that the installation itself would say it.
  if (typeof fs.statfsSync !== 'function') return;
  const disk = fs.statfsSync(root);
  const free_mb = Math.floor((disk.bavail * disk.bsize) / 1024 / 1024);
  if (free_mb >= INSTALL_SPACE_MIN_MB) return;
  throw new SetupError(
    `only ${free_mb} MB are free on the disk of ${root}.`,
    `Free at least ${INSTALL_SPACE_MIN_MB} MB, then run the same command again.`,
  );
}

const INSTALL_PROBLEMS = [
  [/ENOSPC/, 'the disk is full.', 'Free some space, then run the same command again.'],
  [
    /EACCES|EPERM|EROFS/,
    'npm may not write to the project directory.',
    `Make ${root} yours (chown -R "$USER" .), or clone into a directory you own; do not use sudo.`,
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network/i,
    'the npm registry could not be reached.',
    'Check the network, or set the proxy or mirror npm should use: npm config set proxy|registry <url>.',
  ],
  [
    /CERT|SELF_SIGNED/,
    'the npm registry answered with a certificate that is not trusted here.',
    'Give npm your certificate authority: export NODE_EXTRA_CA_CERTS=/path/to/ca.pem.',
  ],
  [LOCK_REFUSED, 'package.json and package-lock.json disagree.', 'Run: npm install, and commit both files.'],
];

function installError(result) {
  for (const [pattern, message, fix] of INSTALL_PROBLEMS) {
    if (pattern.test(result.stderr)) return new SetupError(`packages could not be installed: ${message}`, fix);
  }
  return new SetupError(
    `packages could not be installed (npm ci ended with ${result.status ?? result.signal}).`,
    "Read npm's lines above, then run the same command again.",
  );
}

/** Proves that the Node the project brings along starts on this machine. */
function checkRuntime() {
  const answer = spawnSync(nodeBinary(), ['--version'], { encoding: 'utf8' });
  if (answer.status === 0 && /^v2[4-9]\./.test(answer.stdout)) return;
  throw new SetupError(
    `the project's own Node (${nodeBinary()}) does not start here.`,
    'Allow the install script of the npm package "node" (npm config get ignore-scripts must say false), remove node_modules and run the same command again.',
  );
}

/** Builds dist/ where the sources changed since it was built. */
function build() {
  const stamp = join(root, 'dist', STAMP_FILE);
  if (fs.existsSync(join(root, 'dist', 'cli.js')) && readIfPresent(stamp) === sourceHash(root)) return;
  say('building');
  const result = spawnSync(nodeBinary(), ['scripts/build.ts'], { cwd: root, stdio: 'inherit' });
  if (result.status === 0) return;
  throw new SetupError('the build failed.', 'Read the lines above; `git status` shows whether sources were changed.');
}

/** Runs a script with the project's Node in the foreground and ends with its exit code. */
function handOver(args) {
  const child = spawn(nodeBinary(), args, { cwd: root, stdio: 'inherit', env: environment() });
  // A terminal sends ctrl-C to the child itself; a supervisor signals only this process, so it is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const watch = endWithNpm(() => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearInterval(watch);
      resolve(code ?? (signal ? 1 : 0));
    });
  });
}

const ANCESTORS_CHECK_MS = 500;

/** npm that is ended takes along the shell between it and this script at best: a server must not stay behind. */
function endWithNpm(end) {
  if (!process.env.npm_lifecycle_event) return undefined;
  const before = ancestors();
  return setInterval(() => {
    if (ancestors() !== before) end();
  }, ANCESTORS_CHECK_MS);
}

/** Ids of the parent (the shell) and, where the system tells, of its parent (npm). */
function ancestors() {
  const status = readIfPresent(`/proc/${process.ppid}/status`) ?? '';
  return `${process.ppid} ${/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? ''}`;
}

/** The project's own commands, its Node first of all, come before those of the system. */
function environment() {
  const bin = join(root, 'node_modules', '.bin');
  return { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
}

function nodeBinary() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  return join(root, 'node_modules', 'node', 'bin', name);
}

function readIn(directory, name) {
  const text = readIfPresent(join(directory, name));
  if (text !== undefined) return text;
  throw new SetupError(`${name} is missing from ${directory}.`, 'Restore it with: git checkout -- . (or clone again).');
}

function readIfPresent(path) {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function say(text) {
  process.stdout.write(`haivemind: ${text}\n`);
}

main(process.argv[2]).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.stderr.write(`\nerror: ${error.message}\n`);
    if (error instanceof SetupError) process.stderr.write(`hint: ${error.fix}\n`);
    else process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
);
