// The configuration file's schema (config/config.json): the sections of the seed, every field described and defaulted.
import { z } from 'zod';
import { limits } from '../kernel/limits.ts';

/** What a machine may be called. */
export const MACHINE_ID_SHAPE = /^[A-Za-z0-9._-]{1,128}$/;
export const MACHINE_ID_RULE = 'must be letters, digits, dots, dashes and underscores, at most 128';

const port = z.number().int().min(0).max(65_535);

const server = z
  .strictObject({
    log_level: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('Least severe log line written.'),
    toolsets: z.array(z.string()).default([]).describe('Toolsets listed over MCP; empty lists all.'),
  })
  .prefault({});

const remoteServer = z
  .strictObject({
    host: z
      .string()
      .default('127.0.0.1')
      .describe(
        'Address the hub listens on; 0.0.0.0: all of the machine. Callers beyond its loopback need a token, or Tailscale.',
      ),
    port: port.default(8900).describe('Port of MCP over HTTP, REST, /health and /metrics.'),
    allowed_hosts: z.array(z.string()).default([]).describe('Further Host headers accepted besides loopback names.'),
    calls_per_minute: z
      .number()
      .int()
      .min(0)
      .default(0)
      .describe('Requests a caller may send in a minute, over all hubs together; 0: no limit.'),
    drain_ms: z
      .number()
      .int()
      .min(0)
      .max(300_000)
      .default(0)
      .describe('After SIGTERM the hub answers for so long while /health/ready says no, so that a balancer moves on.'),
  })
  .prefault({});

/** Relative paths start from the folder of the configuration file. */
const secret = z
  .string()
  .regex(/^(file|env|vault):.+$/, 'must be file:/path, env:NAME or vault:<vault>/<key>')
  .optional();

const postgres = z
  .strictObject({
    url: z
      .string()
      .optional()
      .describe('postgres://user@host:5432/database, without a password; HAIVEMIND_DATABASE_URL wins.'),
    password: secret.describe('Reference to the password: file:/path (relative: to this file) or env:NAME.'),
    pool_max_count: z.number().int().min(2).max(200).default(10).describe('Connections a process opens at most.'),
    statement_timeout_ms: z
      .number()
      .int()
      .min(1_000)
      .max(600_000)
      .default(30_000)
      .describe('A statement that takes longer is stopped.'),
    ca_file: z.string().optional().describe('PEM file of the authority that signed the server certificate.'),
  })
  .prefault({});

const redis = z
  .strictObject({
    url: z
      .string()
      .optional()
      .describe('redis://host:6379/0 or rediss://, without a password; HAIVEMIND_REDIS_URL wins.'),
    host: z.string().optional().describe('Host, where no url is given.'),
    port: port.default(6379).describe('Its port.'),
    database: z.number().int().min(0).default(0).describe('Number of the database.'),
    username: z.string().optional().describe('User of an access control list.'),
    password: secret.describe('Reference to the password: file:/path (relative: to this file) or env:NAME.'),
    tls: z.boolean().default(false).describe('Encrypted connection, where host is given.'),
    ca_file: z.string().optional().describe('PEM file of the authority that signed the server certificate.'),
    prefix: z.string().min(1).default('haivemind:').describe('Before every key and channel.'),
  })
  .prefault({});

const chromadb = z
  .strictObject({
    url: z.string().optional().describe('http://host:8000 of a Chroma server; HAIVEMIND_CHROMA_URL wins.'),
    token: secret.describe('Reference to its access token.'),
    tenant: z.string().default('default_tenant').describe('Tenant at the server.'),
    database: z.string().default('default_database').describe('Database of the tenant.'),
  })
  .prefault({});

const vectors = z
  .strictObject({
    engine: z
      .enum(['auto', 'embedded', 'chroma', 'pgvector'])
      .default('auto')
      .describe('Who holds the index of vectors; auto: Chroma where its URL is given, else every process its own.'),
    url: z.string().optional().describe('PostgreSQL with pgvector, where it is not the database of the store.'),
  })
  .prefault({});

const storage = z
  .strictObject({
    data_dir: z.string().optional().describe('Directory of the store; default: the user data directory of the system.'),
    synchronous: z
      .enum(['FULL', 'NORMAL'])
      .default('FULL')
      .describe('FULL survives power loss; NORMAL survives a crash of the process.'),
    postgres,
    redis,
    chromadb,
    vectors,
    embedding: z
      .strictObject({
        provider: z
          .enum(['local', 'openai', 'ollama', 'none'])
          .default('local')
          .describe('Where text becomes vectors; local ships with the product.'),
        url: z.string().optional().describe('Base URL of an OpenAI-compatible endpoint or of Ollama.'),
        model: z.string().optional().describe('Model name at that endpoint.'),
        dimensions: z.number().int().min(8).max(4096).optional().describe('Length of its vectors.'),
        api_key_env: z
          .string()
          .optional()
          .describe('Environment variable that holds the key; the key itself is never in a file.'),
      })
      .prefault({}),
    retention: z
      .array(
        z
          .strictObject({
            category: z.string().optional().describe('Applies to this category only.'),
            tag: z.string().optional().describe('Applies to memories with this tag only.'),
            max_age_days: z.number().int().min(1).describe('Older memories are moved to the recycle bin.'),
          })
          .refine(({ category, tag }) => category !== undefined || tag !== undefined, 'needs a category or a tag'),
      )
      .default([])
      .describe('Retention policies, applied by cleanup_expired_deletions and its schedule.'),
  })
  .prefault({});

const sync = z
  .strictObject({
    port: port.default(8899).describe('Port of the synchronisation service.'),
    discovery: z
      .strictObject({ machines: z.array(z.string()).default([]).describe('Host names of peers.') })
      .prefault({}),
  })
  .prefault({});

const keyring = z
  .strictObject({
    source: z
      .enum(['file', 'env', 'passphrase', 'os'])
      .default('file')
      .describe('Where the master key of vaults and of the token signer is kept.'),
    file: z
      .string()
      .optional()
      .describe('source=file: the key file (mode 0600); default: keys/master.json in the data directory.'),
    env: z
      .string()
      .default('HAIVEMIND_MASTER_KEY')
      .describe(
        'source=env: variable with the key, 32 bytes in base64; source=passphrase: variable with the passphrase.',
      ),
    service: z.string().default('haivemind').describe('source=os: name of the service in the key ring of the system.'),
  })
  .prefault({});

const issuer = z.strictObject({
  issuer: z.url().describe('Its `iss`.'),
  jwks_url: z.url().describe('Where it publishes its keys (https, or loopback).'),
  audience: z.string().min(1).describe('`aud` its tokens have to carry for this hub.'),
  user_claim: z.string().default('sub').describe('Claim that names the user.'),
  user_prefix: z
    .string()
    .default('')
    .describe('Put before that name, so that it cannot be taken for a user of this hub.'),
  admin_users: z.array(z.string()).default([]).describe('Users (with the prefix) who administer this hub.'),
});

const security = z
  .strictObject({
    trust_loopback: z
      .boolean()
      .default(true)
      .describe('Treat loopback connections without proxy headers as the owner of this machine.'),
    redact_secrets: z.boolean().default(true).describe('Replace secrets found in stored text by markers.'),
    public_url: z
      .url()
      .optional()
      .describe('Address clients reach the hub by: audience of its tokens and name in its OAuth metadata.'),
    issuers: z.array(issuer).max(20).default([]).describe('Other issuers of tokens this hub accepts.'),
    tailscale: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Ask the Tailscale daemon who is behind a tailnet address.'),
        socket: z.string().default('/var/run/tailscale/tailscaled.sock').describe('Unix socket of its LocalAPI.'),
      })
      .prefault({})
      .describe('Identity by Tailscale.'),
    keyring,
    vault_recovery_days: z
      .number()
      .int()
      .min(0)
      .max(3650)
      .default(30)
      .describe('Days in which a deleted secret can be brought back; afterwards it is destroyed.'),
  })
  .prefault({});

const wipLimit = z.number().int().min(1).max(100_000).optional();

const tasks = z
  .strictObject({
    wip_limits: z
      .strictObject({
        todo: wipLimit.describe('Tasks that wait to be begun.'),
        in_progress: wipLimit.describe('Tasks somebody works on.'),
        blocked: wipLimit.describe('Tasks that cannot go on.'),
        review: wipLimit.describe('Tasks that wait for a review.'),
      })
      .prefault({})
      .describe('Tasks a column holds at most, on boards whose project says nothing else; left out: no limit.'),
    agent_wip_limit: wipLimit.describe('Tasks one agent holds at once, where the project says nothing else.'),
    lease_seconds: z
      .number()
      .int()
      .min(1)
      .max(limits.task_lease_max_seconds)
      .default(limits.task_lease_default_seconds)
      .describe('A claimed task goes back to the queue so long after the last sign of life of its agent.'),
  })
  .prefault({})
  .describe('Work in progress on task boards.');

const claudeops = z
  .strictObject({
    machine_id: z
      .string()
      .regex(MACHINE_ID_SHAPE, MACHINE_ID_RULE)
      .optional()
      .describe('Name of this machine; default: its host name. Hubs of one store need different ones.'),
    machine_groups: z
      .record(z.string(), z.strictObject({ machines: z.array(z.string()), capabilities: z.array(z.string()) }))
      .default({})
      .describe('Capabilities by machine group; patterns such as elastic* are allowed.'),
    tasks,
  })
  .prefault({});

export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('For editors.'),
  server,
  remote_server: remoteServer,
  storage,
  sync,
  security,
  claudeops,
});

export type Config = z.output<typeof configSchema>;
