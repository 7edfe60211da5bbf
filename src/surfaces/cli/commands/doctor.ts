// `haivemind doctor`: everything that goes wrong in practice, checked from outside and from inside, each with its fix.
import { dirname } from 'node:path';
import { secretFiles } from '../../../config/engines.ts';
import { type LoadedConfig, loadConfig } from '../../../config/load.ts';
import { HaivemindError, toErrorBody } from '../../../kernel/errors.ts';
import type { HealthCheck } from '../../runtime.ts';
import type { CliContext } from '../contract.ts';
import { checkClientConfigurations } from '../doctor/clients.ts';
import {
  checkClock,
  checkDataDirectory,
  checkDiskSpace,
  checkKeyFile,
  checkNode,
  checkSecretFiles,
} from '../doctor/machine.ts';
import { checkHub, checkPort } from '../doctor/network.ts';
import { checkTrust } from '../doctor/trust.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions, stdoutStyle } from '../globals.ts';
import { hubFile, probeHub } from '../hub-file.ts';
import { openClient, quiet } from '../open-client.ts';
import { refuseRemoteHub, remoteHubUrl } from '../remote-hub.ts';
import { toJsonText } from '../render.ts';
import { shown } from '../shown.ts';

const WORST = ['ok', 'degraded', 'failed'] as const;

interface DoctorFlags extends GlobalOptions {
  readonly fix?: boolean;
}

export async function runDoctor(flags: DoctorFlags, ctx: CliContext): Promise<number> {
  const checks = await allChecks(flags, ctx);
  const status = WORST[Math.max(...checks.map((check) => WORST.indexOf(check.status)))] ?? 'ok';
  const report = { status, version: ctx.version, checks };
  ctx.io.stdout.write(flags.json ? `${toJsonText(report, 2)}\n` : linesOf(checks, stdoutStyle(ctx, flags)));
  return status === 'failed' ? EXIT.failure : EXIT.ok;
}

async function allChecks(flags: DoctorFlags, ctx: CliContext): Promise<HealthCheck[]> {
  const remote = remoteHubUrl(ctx.io.env);
  if (remote !== undefined && flags.fix) refuseRemoteHub(ctx.io.env);
  const checks: HealthCheck[] = [checkNode(process.versions.node)];
  let config: LoadedConfig;
  try {
    config = configFor(ctx, flags);
    checks.push({ name: 'configuration', status: 'ok', detail: config.file ?? 'defaults and environment' });
  } catch (error) {
    checks.push(failed('configuration', error));
    if (remote !== undefined) return checks;
    const rest = withoutFile(flags, ctx);
    return rest ? [...checks, ...(await outside(rest, ctx))] : checks;
  }
  if (remote !== undefined) return [...(await elsewhere(remote, config, ctx)), ...checks];
  checks.push(...(await outside(config, ctx)));
  checks.push(...(await inside(config, flags, ctx)));
  return [...checks, ...(await indexChecks(config, flags, ctx))];
}

/** Enough to look at the machine by; undefined where the data directory's own file is the broken one. */
function withoutFile(flags: GlobalOptions, ctx: CliContext): LoadedConfig | undefined {
  const data_dir = flags.dataDir ?? ctx.io.env.HAIVEMIND_DATA_DIR;
  try {
    return loadConfig({ HOME: ctx.io.env.HOME, ...(data_dir ? { HAIVEMIND_DATA_DIR: data_dir } : {}) }, ctx.io.cwd);
  } catch {
    return undefined;
  }
}

/** What can be seen without opening the store. */
async function outside(config: LoadedConfig, ctx: CliContext): Promise<HealthCheck[]> {
  const hub = await probeHub(config.data_dir);
  const ownPorts = hub.state === 'alive';
  return [
    checkDataDirectory(config.data_dir),
    checkDiskSpace(config.data_dir),
    checkClock(config.data_dir, Date.now()),
    ...checkSecretFiles(secretFiles(config.storage, config.file && dirname(config.file))),
    ...(config.security.keyring.source === 'file' ? [checkKeyFile(config.security.keyring.file)] : []),
    ...checkTrust({ ...config.security, host: config.server.host }),
    checkHub(hub, hubFile(config.data_dir)),
    await checkPort('port', config.server.host, config.server.port, 'HAIVEMIND_PORT', ownPorts),
    await checkPort('sync port', config.server.host, config.sync.port, 'HAIVEMIND_SYNC_PORT', ownPorts),
    ...checkClientConfigurations(ctx.io.env, ctx.io.cwd),
  ];
}

/** What the runtime says of itself: store, index, model. */
async function inside(config: LoadedConfig, flags: GlobalOptions, ctx: CliContext): Promise<readonly HealthCheck[]> {
  try {
    const client = await openClient(ctx, configFor(ctx, flags));
    try {
      const { machine_id, checks } = await client.health();
      const deep = await client.inspect();
      // The disk was looked at from outside, where it counts even if the store does not open.
      const own = [...checks.filter((check) => check.name !== 'disk'), ...deep];
      return machine_id === config.machine_id ? own : [...own, strangeMachine(machine_id)];
    } finally {
      await client.close();
    }
  } catch (error) {
    return [failed('store', error)];
  }
}

/** What a hub elsewhere says of itself: files, ports and the hub of this machine have no part in it. */
async function elsewhere(url: string, config: LoadedConfig, ctx: CliContext): Promise<readonly HealthCheck[]> {
  const name = 'remote hub';
  try {
    const client = await openClient(ctx, config);
    const { checks } = await client.health();
    return [{ name, status: 'ok', detail: `${url} (HAIVEMIND_URL)` }, ...checks];
  } catch (error) {
    const refused = failed(name, error);
    // Who is known there and may not hear of its health, as who is no administrator, has what commands need.
    if (error instanceof HaivemindError && error.code === 'forbidden')
      return [
        { name, status: 'ok', detail: `${url} (HAIVEMIND_URL) knows this token; of its health: ${refused.detail}` },
      ];
    return [{ ...refused, detail: `${url} (HAIVEMIND_URL): ${refused.detail}` }];
  }
}

/** The index another program holds against all memories, mended where that is asked for; a hub would not read so much. */
async function indexChecks(config: LoadedConfig, flags: DoctorFlags, ctx: CliContext): Promise<HealthCheck[]> {
  if (config.engines.vectors.engine === 'embedded') return [];
  try {
    const runtime = await ctx.openRuntime(quiet(config, ctx), { role: 'command' });
    try {
      const { signal } = ctx.io;
      const found = await runtime.checkIndex(signal);
      if (!found || found.status === 'ok' || !flags.fix) return found ? [found] : [];
      const { missing, stale, surplus } = await runtime.reindex({ embed: false, full: false }, () => {}, signal);
      const after = await runtime.checkIndex(signal);
      const mended = `mended: ${missing} missing, ${stale} stale, ${surplus} surplus`;
      return after ? [{ ...after, detail: `${mended}; ${after.detail}` }] : [];
    } finally {
      await runtime.close({ abandon: true });
    }
  } catch (error) {
    return [failed('vector index drift', error)];
  }
}

function strangeMachine(machine_id: string): HealthCheck {
  return {
    name: 'machine',
    status: 'degraded',
    detail: `the hub calls this machine ${machine_id}`,
    fix: 'Give claudeops.machine_id in the configuration, so that the name stays the same.',
  };
}

function failed(name: string, error: unknown): HealthCheck {
  const body = toErrorBody(error);
  const cause = body.code === 'internal' && error instanceof Error ? ` (${error.message})` : '';
  return { name, status: 'failed', detail: `${body.message}${cause}`, fix: body.hint };
}

function linesOf(checks: readonly HealthCheck[], style: ReturnType<typeof stdoutStyle>): string {
  const marks = { ok: style.green('ok      '), degraded: style.yellow('warning '), failed: style.red('FAILED  ') };
  const width = Math.max(...checks.map((check) => check.name.length));
  return checks
    .map((check) => {
      const line = `${marks[check.status]} ${check.name.padEnd(width)}  ${shown(check.detail)}\n`;
      return check.status === 'ok' || !check.fix
        ? line
        : `${line}         ${' '.repeat(width)}  fix: ${shown(check.fix)}\n`;
    })
    .join('');
}
