// Processor time and memory of a process and all it started, from /proc (Linux).
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc are hundredths of a second on every Linux of today. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly own_ticks: number;
  readonly reaped_ticks: number;
}

/** Seconds on a processor, user and system, of the process, its descendants and those of them that ended. */
export function cpuSeconds(pid: number): number {
  const ticks = familyOf(pid).reduce((sum, stat) => sum + stat.own_ticks + stat.reaped_ticks, 0);
  return ticks / TICKS_PER_SECOND;
}

/** Proportional share of main memory in MiB: what processes share is counted once. */
export function memoryMib(pid: number): number {
  const kib = familyOf(pid).reduce((sum, stat) => {
    const found = /^Pss:\s+(\d+)/m.exec(read(`/proc/${stat.pid}/smaps_rollup`) ?? '');
    return sum + Number(found?.[1] ?? 0);
  }, 0);
  return kib / 1024;
}

/** The command line a process was started with. */
export function argumentsOf(pid: number): string[] {
  return (read(`/proc/${pid}/cmdline`) ?? '').split('\0');
}

function familyOf(pid: number): Stat[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []));
  const family = all.filter((stat) => stat.pid === pid);
  // Grows while it is walked: children of children follow.
  for (const member of family) family.push(...all.filter((stat) => stat.parent === member.pid));
  return family;
}

/** Fields 4, 14 and 15, 16 and 17 of proc(5); the name in parentheses may hold anything. */
function statOf(pid: number): Stat | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [, parent = 0] = fields;
  const [user = 0, system = 0, reapedUser = 0, reapedSystem = 0] = fields.slice(11, 15);
  return { pid, parent, own_ticks: user + system, reaped_ticks: reapedUser + reapedSystem };
}

/** Undefined where the process is gone. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
