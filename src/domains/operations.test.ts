// All operations as they are defined: names, words, annotations, bindings, schemas, and that their examples run.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Answer, type App, contextOf, openApp } from '../../test/support/open-app.ts';
import type { Permission, RestBinding } from '../kernel/operation.ts';
import { operationDefinitions } from './operations.ts';

/** Tools of the product's description, and what they need beside themselves. */
const TOOLS = [
  'store_memory',
  'retrieve_memory',
  'update_memory',
  'search_memories',
  'get_recent_memories',
  'get_memory_stats',
  'get_project_memories',
  'get_machine_context',
  'list_memory_sources',
  'import_conversation',
  'get_memory_access_stats',
  'get_format_guide',
  'delete_memory',
  'bulk_delete_memories',
  'recover_deleted_memory',
  'list_deleted_memories',
  'detect_duplicate_memories',
  'merge_duplicate_memories',
  'cleanup_expired_deletions',
  'get_mode',
  'set_mode',
  'list_available_modes',
  'create_team',
  'list_teams',
  'get_team',
  'add_team_member',
  'remove_team_member',
  'get_team_activity',
  'accept_team_invitation',
  'create_vault',
  'list_vaults',
  'store_in_vault',
  'retrieve_from_vault',
  'list_vault_secrets',
  'delete_vault_secret',
  'restore_vault_secret',
  'share_vault',
  'vault_audit_log',
  'rotate_vault_key',
  'destroy_vault',
  'register_agent',
  'get_agent_roster',
  'delegate_task',
  'query_agent_knowledge',
  'broadcast_discovery',
  'check_inbox',
  'send_message',
  'create_project',
  'list_projects',
  'switch_project_context',
  'project_health_check',
  'update_project',
  'backup_project',
  'restore_project',
  'list_project_backups',
  'create_kanban_task',
  'assign_kanban_task',
  'update_kanban_task',
  'get_kanban_task',
  'list_kanban_tasks',
  'delete_kanban_task',
  'claim_next',
  'get_task_analytics',
  'import_tasks',
  'export_tasks',
  'create_token',
  'list_tokens',
  'revoke_token',
  'rotate_token_key',
  'list_audit_log',
  'verify_audit_log',
  'anchor_audit_log',
  'gdpr_export_user_data',
  'gdpr_delete_user_data',
  'place_legal_hold',
  'release_legal_hold',
];

/** Parameters of the seed's examples: they are the contract of each tool. */
const SEED_INPUTS: readonly (readonly [string, object])[] = [
  ['update_memory', { memory_id: 'abc123', content: 'Updated content with corrections' }],
  ['update_memory', { memory_id: 'abc123', tags: ['fixed', 'verified'], context: 'Corrected information' }],
  ['update_memory', { memory_id: 'abc123', category: 'incidents' }],
  ['update_memory', { memory_id: 'abc123', metadata: { priority: 'high', verified: true } }],
  ['delete_memory', { memory_id: 'abc123', hard_delete: false, reason: 'No longer needed' }],
  ['list_deleted_memories', { limit: 20 }],
  ['recover_deleted_memory', { memory_id: 'abc123' }],
  [
    'bulk_delete_memories',
    { category: 'incidents', date_to: '2024-01-01', hard_delete: false, confirm: true, reason: 'Archive' },
  ],
  ['detect_duplicate_memories', { threshold: 0.9 }],
  ['merge_duplicate_memories', { memory_id_1: 'abc123', memory_id_2: 'def456', keep_memory: 'newest' }],
  ['cleanup_expired_deletions', {}],
  ['search_memories', { query: 'nginx', machine_id: 'web-1', project: 'edge', since: '7d' }],
  ['get_mode', {}],
  ['set_mode', { mode: 'solo' }],
  ['set_mode', { mode: 'team', context_id: 'team_engineering_001' }],
  ['set_mode', { mode: 'vault', context_id: 'vault_prod_secrets' }],
  ['list_available_modes', {}],
  ['create_team', { name: 'Engineering Team', description: 'Main engineering team for product development' }],
  ['list_teams', {}],
  ['get_team', { team_id: 'team_engineering_001', include_members: true, include_activity: true }],
  ['add_team_member', { team_id: 'team_engineering_001', user_id: 'bob@example.com', role: 'member' }],
  ['add_team_member', { team_id: 'team_engineering_001', user_id: 'alice@example.com', role: 'admin' }],
  ['remove_team_member', { team_id: 'team_engineering_001', user_id: 'bob@example.com' }],
  ['get_team_activity', { team_id: 'team_engineering_001', hours: 24, limit: 50 }],
  ['create_vault', { name: 'Production Secrets', vault_type: 'team', team_id: 'team_engineering_001' }],
  ['list_vaults', {}],
  ['store_in_vault', { vault_id: 'vault_abc123', key: 'a_key', value: 'x', metadata: { service: 'stripe' } }],
  ['retrieve_from_vault', { vault_id: 'vault_abc123', key: 'a_key', audit_reason: 'Deploying' }],
  ['list_vault_secrets', { vault_id: 'vault_abc123' }],
  ['delete_vault_secret', { vault_id: 'vault_abc123', key: 'old_api_key' }],
  [
    'share_vault',
    {
      vault_id: 'vault_abc123',
      share_with: 'contractor@example.com',
      share_type: 'user',
      access_level: 'read',
      expires_at: '2025-12-21T10:00:00Z',
    },
  ],
  ['register_agent', { role: 'hive_mind', description: 'Primary hAIveMind orchestrator' }],
  ['get_agent_roster', {}],
  [
    'delegate_task',
    { task_description: 'Optimize search performance on elastic1', required_capabilities: ['elasticsearch_ops'] },
  ],
  ['query_agent_knowledge', { agent_id: 'elastic1-specialist', query: 'memory optimization techniques' }],
  [
    'broadcast_discovery',
    { message: 'Found memory leak in scraper service', category: 'infrastructure', severity: 'warning' },
  ],
  [
    'create_project',
    {
      name: 'eWitness Search Optimization',
      description: 'Optimize Elasticsearch queries for better performance',
      owner_agent_id: 'elastic-specialist',
      project_type: 'optimization',
      priority: 'high',
      tags: 'elasticsearch,performance,search',
    },
  ],
  ['list_projects', { status_filter: 'active', project_type_filter: 'optimization', limit: 10 }],
  [
    'switch_project_context',
    { project_id: 'proj_abc123', agent_id: 'lance-dev-agent', reason: 'Starting search optimization work' },
  ],
  ['project_health_check', { project_id: 'proj_abc123' }],
  ['backup_project', { project_id: 'proj_abc123', backup_type: 'full', include_history: true }],
  ['restore_project', { backup_id: 'backup_xyz789', restore_mode: 'safe' }],
  [
    'create_kanban_task',
    {
      title: 'Optimize Elasticsearch queries',
      description: 'Improve search performance',
      priority: 'high',
      required_capabilities: ['elasticsearch_ops'],
    },
  ],
  ['assign_kanban_task', { task_id: 'task_123', auto_assign: true }],
  ['update_kanban_task', { task_id: 'task_123', status: 'in_progress', progress: 25 }],
  ['get_task_analytics', { days: 30 }],
  ['vault_audit_log', { vault_id: 'vault_abc123', hours: 168, limit: 100 }],
];

type JsonSchema = { readonly [key: string]: unknown };

const BRANCHES = ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const;

/** A field that may be null is described by the branch that is not. */
function isDescribed(schema: JsonSchema): boolean {
  if (typeof schema.description === 'string' && schema.description !== '') return true;
  return BRANCHES.some((key) => ((schema[key] ?? []) as JsonSchema[]).some(isDescribed));
}

/** Paths of properties, however deep, that have no description. */
function undescribed(schema: JsonSchema, path: string): string[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const inside = BRANCHES.flatMap((key) => (schema[key] ?? []) as JsonSchema[]);
  if (typeof schema.items === 'object' && schema.items !== null) inside.push(schema.items as JsonSchema);
  return [
    ...properties.flatMap(([name, child]) => [
      ...(isDescribed(child) ? [] : [`${path}.${name}`]),
      ...undescribed(child, `${path}.${name}`),
    ]),
    ...inside.flatMap((child) => undescribed(child, path)),
  ];
}

/** What operations of a toolset may ask for. */
const PERMISSIONS_OF: Readonly<Record<string, { reading: readonly Permission[]; writing: readonly Permission[] }>> = {
  memory: { reading: ['memory.read'], writing: ['memory.write'] },
  format: { reading: ['memory.read'], writing: ['memory.write'] },
  lifecycle: { reading: ['memory.read'], writing: ['memory.delete'] },
  modes: { reading: ['mode.read'], writing: ['mode.write'] },
  teams: { reading: ['team.read'], writing: ['team.write'] },
  // Reading a secret leaves a row in the audit log: it is no GET.
  vaults: { reading: ['vault.read'], writing: ['vault.read', 'vault.write', 'vault.share'] },
  agents: { reading: ['agent.read'], writing: ['agent.read', 'agent.write', 'task.write'] },
  projects: {
    reading: ['project.read'],
    writing: ['project.read', 'project.write', 'project.backup', 'project.restore'],
  },
  tasks: { reading: ['task.read'], writing: ['task.write', 'task.delete'] },
  privacy: { reading: ['privacy.export'], writing: ['privacy.erase'] },
  admin: {
    reading: ['system.admin', 'project.read', 'project.backup', 'task.read'],
    writing: ['system.admin', 'project.write', 'task.write'],
  },
};

const ADMIN = (() => {
  const ctx = contextOf('test-machine', { project: 'demo' });
  return { ...ctx, principal: { ...ctx.principal, credential: { kind: 'local', admin: true } as const } };
})();

/** What the examples speak of, made for one run of them: from the id in the example to the real one. */
async function prepared(app: App, name: string): Promise<ReadonlyMap<string, string>> {
  const run = async (operation: string, input: object): Promise<Answer> =>
    (await app.runtime.executor.execute(operation, input, ADMIN)).output;
  const ids = new Map<string, string>();
  for (const known of ['abc123', 'def456']) ids.set(known, await app.store(`Prepared for the example: ${known}`));
  if (name === 'recover_deleted_memory') await app.call('delete_memory', { memory_id: ids.get('abc123') });
  const { team_id } = await run('create_team', { name: 'Engineering' });
  await run('add_team_member', { team_id, user_id: 'bob@example.com', role: 'member' });
  ids.set('team_engineering_001', team_id);
  const foreign = await app.call('create_team', { name: 'Guests' }, { user: 'zoe' });
  const invitation = { team_id: foreign.team_id, user_id: 'ada', role: 'member', invite: true };
  ids.set('inv_example', (await app.call('add_team_member', invitation, { user: 'zoe' })).invitation_code);
  if (byName.get(name)?.toolset === 'vaults') {
    const { vault_id } = await run('create_vault', { name: 'Example', vault_type: 'personal' });
    ids.set('vault_abc123', vault_id);
    for (const key of ['db_password', 'old_api_key']) await run('store_in_vault', { vault_id, key, value: 'example' });
    if (name === 'restore_vault_secret') await run('delete_vault_secret', { vault_id, key: 'old_api_key' });
  }
  if (byName.get(name)?.toolset === 'agents') await run('register_agent', { role: 'specialist', machine: 'elastic1' });
  if (PROJECT_OPERATIONS.has(name)) {
    const { project_id } = await run('create_project', { name: 'Example' });
    ids.set('proj_abc123', project_id);
    if (name === 'restore_project') ids.set('backup_xyz789', (await run('backup_project', { project_id })).backup_id);
  }
  if (byName.get(name)?.toolset === 'tasks')
    ids.set('task_123', (await run('create_kanban_task', { title: 'Example' })).task.task_id);
  if (name === 'revoke_token') {
    const [example] = byName.get(name)?.examples ?? [];
    const { jti } = await run('create_token', { user: 'bob@example.com' });
    ids.set(String((example?.input as { jti?: string } | undefined)?.jti), jti);
  }
  if (name === 'release_legal_hold') await run('place_legal_hold', { user_id: 'ada', reason: 'example' });
  return ids;
}

/** Those whose example names a project that is there. */
const PROJECT_OPERATIONS: ReadonlySet<string> = new Set([
  'switch_project_context',
  'project_health_check',
  'update_project',
  'backup_project',
  'restore_project',
]);

const byName = new Map<string, (typeof operationDefinitions)[number]>(
  operationDefinitions.map((operation) => [operation.name, operation]),
);

test('the tools are those of the product, each defined once', () => {
  expect(operationDefinitions.map((operation) => operation.name).toSorted()).toEqual(TOOLS.toSorted());
});

test('each is in the file of its name', () => {
  const files = readdirSync(import.meta.dirname, { withFileTypes: true }).flatMap((domain) => {
    const folder = join(import.meta.dirname, domain.name, 'operations');
    return existsSync(folder) ? readdirSync(folder).filter((file) => !file.endsWith('.test.ts')) : [];
  });
  const named = files.map((file) => file.replace(/\.ts$/, '').replaceAll('-', '_'));
  expect(named).toEqual(expect.arrayContaining(TOOLS));
});

describe.each(operationDefinitions.map((operation) => [operation.name, operation] as const))(
  '%s',
  (name, operation) => {
    test('says what it is for', () => {
      expect(operation.title).toMatch(/^[A-Z].{3,39}$/);
      expect(operation.description.length).toBeGreaterThan(40);
      expect(operation.description.length).toBeLessThanOrEqual(1_024);
      expect(operation.description).toMatch(/\.$/);
    });

    test('describes every field that goes in or comes out', () => {
      const input = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
      const output = z.toJSONSchema(operation.output, { io: 'output', unrepresentable: 'any' }) as JsonSchema;
      expect(undescribed(input, 'input')).toEqual([]);
      expect(undescribed(output, 'output')).toEqual([]);
      expect(input.additionalProperties).toBe(false);
    });

    test('has fields in snake_case and calls ids by what they identify', () => {
      const names = [...Object.keys(operation.input.shape), ...Object.keys(operation.output.shape)];
      for (const field of names) expect(field).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      expect(names).not.toContain('id');
    });

    test('has annotations that agree with its route and its permission', () => {
      const { readOnly, destructive, idempotent } = operation.effects;
      const { method } = operation.rest;
      if (readOnly)
        expect({ destructive, idempotent, method }).toEqual({ destructive: false, idempotent: true, method: 'GET' });
      else expect(method).not.toBe('GET');
      if (method === 'DELETE') expect(destructive).toBe(true);
      const permissions = PERMISSIONS_OF[operation.toolset];
      expect(permissions?.[readOnly ? 'reading' : 'writing']).toContain(operation.permission);
      expect(operation.core === true).toBe(operation.toolset === 'memory');
    });

    test('binds its path, positions and table to fields that exist', () => {
      const { input, output } = operation as { input: z.ZodObject; output: z.ZodObject };
      for (const [, field] of operation.rest.path.matchAll(/\{(\w+)\}/g)) expect(input.shape).toHaveProperty(field!);
      const cli: { positional?: readonly string[]; table?: { rows: string } } = operation.cli;
      for (const field of cli.positional ?? []) expect(input.shape).toHaveProperty(field);
      if (cli.table) expect(output.shape).toHaveProperty(cli.table.rows);
    });

    test('has an example that runs, and answers with what its schema says', async () => {
      await using app = await openApp();
      const ids = await prepared(app, name);
      for (const { input } of operation.examples) {
        const real = JSON.parse(JSON.stringify(input), (_key, value) => ids.get(value) ?? value);
        const { output, parts } = await app.runtime.executor.execute(name, real, ADMIN);
        const { operating_mode, ...answer } = output;
        if (name === 'set_mode') expect(operating_mode).toBeUndefined();
        else expect(operating_mode).toMatch(/^(solo|team|vault)/);
        // Strict: an answer has no field that is not declared.
        const declared = z.strictObject((operation.output as z.ZodObject).shape);
        expect(declared.safeParse(answer)).toMatchObject({ success: true });
        expect(parts.map((part) => part.text).join('')).not.toBe('');
      }
    });
  },
);

test.each(SEED_INPUTS)('%s takes %j', (name, input) => {
  expect(byName.get(name)!.input.safeParse(input)).toMatchObject({ success: true });
});

test('routes, commands and short forms are taken once', () => {
  const unique = (values: readonly string[]) => expect(values.toSorted()).toEqual([...new Set(values)].toSorted());
  unique(
    operationDefinitions.flatMap(({ rest }: { rest: RestBinding }) =>
      [`/api/v1${rest.path}`, ...(rest.also ?? [])].map(
        (path) => `${rest.method} ${path.replaceAll(/\{\w+\}/g, '{}')}`,
      ),
    ),
  );
  unique(operationDefinitions.map(({ cli }) => `${cli.group} ${cli.verb}`));
  unique(operationDefinitions.flatMap(({ cli }: { cli: { alias?: string } }) => cli.alias ?? []));
  for (const { cli } of operationDefinitions) expect(`${cli.group} ${cli.verb}`).toMatch(/^[a-z]+ [a-z]+(-[a-z]+)*$/);
});

test('the words that models read stay within their budget', () => {
  const size = (operation: (typeof operationDefinitions)[number]) =>
    operation.description.length + JSON.stringify(z.toJSONSchema(operation.input, { io: 'input' })).length;
  const all = operationDefinitions.reduce((sum, operation) => sum + size(operation), 0);
  // What MCP lists is measured where it is made; this keeps a definition from growing unnoticed.
  expect(all).toBeLessThanOrEqual(66_000);
});
