// get_machine_context: where the caller is: machine, system, project, and what is known about them.
import { arch, cpus, hostname, platform, release, totalmem, uptime } from 'node:os';
import { z } from 'zod';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { seen } from '../filters.ts';
import { reachIn } from '../reach.ts';
import { card, plural } from '../render.ts';
import { listRows } from '../repository.ts';
import { totals } from '../rules/stats.ts';
import { memorySchema, scopesField } from '../schema.ts';
import type { MemoryDeps } from '../service.ts';
import { recordsFor } from '../shown.ts';

const RECENT_COUNT = 5;

const input = z.strictObject({ scope: scopesField.optional() });

const output = z.object({
  machine_id: z.string().describe('Machine the server runs on.'),
  hostname: z.string().describe('Its host name.'),
  platform: z.string().describe('Operating system and version.'),
  arch: z.string().describe('Processor architecture.'),
  cpus: z.number().describe('Processor cores.'),
  memory_bytes: z.number().describe('Main memory.'),
  uptime_seconds: z.number().describe('Since the system started.'),
  runtime: z.string().describe('Node version.'),
  user_id: z.string().describe('Who calls.'),
  agent_id: z.string().describe('Through which agent.'),
  project: z.string().nullable().describe('Project the session works in.'),
  memories_here: z.number().describe('Memories written on this machine.'),
  recent: z.array(memorySchema).describe('The latest of them.'),
});

export const getMachineContext = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'get_machine_context',
  title: 'Machine context',
  description:
    'Describes the machine, operating system, user, agent and project of this session, with the latest memories written on this machine.',
  toolset: 'memory',
  core: true,
  input,
  output,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/machine' },
  cli: { group: 'machine', verb: 'context' },
  examples: [{ title: 'Where am I', input: {} }],
  async handle({ store }, { scope }, ctx) {
    const { principal, session } = ctx;
    const filter = { ...reachIn(ctx, scope), machine_id: [store.machine_id] };
    const rows = await listRows(store.db, (eb) => seen(eb, filter, principal), {
      limit: RECENT_COUNT,
    });
    return {
      machine_id: store.machine_id,
      hostname: hostname(),
      platform: `${platform()} ${release()}`,
      arch: arch(),
      cpus: cpus().length,
      memory_bytes: totalmem(),
      uptime_seconds: Math.round(uptime()),
      runtime: `node ${process.versions.node}`,
      user_id: principal.user_id,
      agent_id: principal.agent_id,
      project: ctx.project?.name ?? session.project ?? null,
      memories_here: (await totals(store.db, filter, principal)).total,
      recent: await recordsFor(store.db, rows, principal),
    };
  },
  text(out) {
    const where = `${out.machine_id} (${out.platform}, ${out.arch}, ${out.cpus} cores), user ${out.user_id}, agent ${out.agent_id}, project ${out.project ?? '(none)'}`;
    const head = {
      kind: 'text' as const,
      text: `${where}; ${plural(out.memories_here, 'memory', 'memories')} written here.`,
    };
    return out.recent.length > 0
      ? [head, { kind: 'stored' as const, text: out.recent.map(card).join('\n\n') }]
      : [head];
  },
});
