// The operation: the one definition from which MCP tool, REST route, CLI verb, OpenAPI and docs derive.
import type { z } from 'zod';

/** What an operation does to the world; becomes MCP tool annotations and decides the HTTP method's safety. */
export interface Effects {
  readonly readOnly: boolean;
  readonly destructive: boolean;
  readonly idempotent: boolean;
  readonly openWorld: boolean;
}

export const READS: Effects = { readOnly: true, destructive: false, idempotent: true, openWorld: false };
export const WRITES: Effects = { readOnly: false, destructive: false, idempotent: false, openWorld: false };
export const UPDATES: Effects = { readOnly: false, destructive: true, idempotent: true, openWorld: false };
export const DELETES: Effects = { readOnly: false, destructive: true, idempotent: true, openWorld: false };

/**
 * What a call needs; closed: an operation without one does not compile. The same words are the scopes of a token, where
 * the part before the dot stands for all of its group.
 */
export const PERMISSIONS = [
  'memory.read',
  'memory.write',
  'memory.delete',
  'mode.read',
  'mode.write',
  'team.read',
  'team.write',
  'vault.read',
  'vault.write',
  'vault.share',
  'agent.read',
  'agent.write',
  'project.read',
  'project.write',
  'project.backup',
  'project.restore',
  'task.read',
  'task.write',
  'task.delete',
  'privacy.export',
  'privacy.erase',
  'system.read',
  'system.admin',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** How a caller was known, and what that allows at most. */
export interface Credential {
  readonly kind: 'local' | 'token' | 'issuer' | 'tailscale';
  /** May administer this hub: its machine's owner, or a token that was made for it. */
  readonly admin: boolean;
  /** Permissions it is limited to; absent: whatever the user may do. */
  readonly scopes?: readonly Permission[];
  /** Names the credential in logs and the audit log: the `jti` of a token. */
  readonly credential_id?: string;
  /** The one agent it is for, and the one machine; absent: the caller says which. */
  readonly agent_id?: string;
  readonly machine_id?: string;
}

export const TEAM_ROLES = ['owner', 'admin', 'member', 'readonly', 'guest'] as const;
export type TeamRole = (typeof TEAM_ROLES)[number];

/** What a member of a team may do there; which role has which is said in domains/access/roles.ts. */
export const TEAM_CAPABILITIES = [
  'memory.read',
  'memory.write',
  'memory.moderate',
  'vault.read',
  'vault.write',
  'vault.admin',
  'work.read',
  'work.write',
  'work.manage',
  'members.read',
  'members.manage',
  'activity.read',
] as const;
export type TeamCapability = (typeof TEAM_CAPABILITIES)[number];

/** A membership that holds now. */
export interface Membership {
  readonly team_id: string;
  readonly team_name: string;
  readonly role: TeamRole;
  /** The role's capabilities with the member's own overrides applied. */
  readonly capabilities: ReadonlySet<TeamCapability>;
}

/** Who acts: a user through an agent on a machine. All three stand on every record. */
export interface Principal {
  readonly user_id: string;
  readonly agent_id: string;
  readonly machine_id: string;
  /** Absent: an ordinary user of whom nothing else is known. */
  readonly credential?: Credential;
  /** Teams the user belongs to as the call begins; filled by the executor. Absent: none. */
  readonly teams?: readonly Membership[];
}

export const OPERATING_MODES = ['solo', 'vault', 'team'] as const;
export type OperatingMode = (typeof OPERATING_MODES)[number];

/** Where an agent session works: what it sees without asking for more, and where a new memory goes. */
export interface ModeContext {
  readonly mode: OperatingMode;
  /** The team or the vault; null in solo, and in vault mode without a certain vault. */
  readonly context_id: string | null;
  /** Said with this answer: the mode came about without being chosen by this session. */
  readonly note?: string;
}

export const SOLO: ModeContext = { mode: 'solo', context_id: null };

/** The registered agent a session acts as. Its id is the principal's `agent_id` then. */
export interface ActingAgent {
  readonly agent_id: string;
  /** What its program calls itself: the principal's agent if it were not registered. */
  readonly client: string;
  readonly capabilities: readonly string[];
}

/** The project a session switched to. */
export interface ProjectContext {
  readonly project_id: string;
  readonly name: string;
}

export type Transport = 'stdio' | 'http' | 'sse' | 'rest' | 'cli' | 'internal';

/** True where a model reads the answers. */
export function isAgentTransport(transport: Transport): boolean {
  return transport === 'stdio' || transport === 'http' || transport === 'sse';
}

/** One caller's conversation with the server, however the transport spells it. */
export interface SessionHandle {
  /** Stable key of the agent session; the same on every call of one session, also on stateless transports. */
  readonly key: string;
  readonly transport: Transport;
  /** Neither named nor connected: callers that look alike are taken for one session until they fall silent. */
  readonly derived?: boolean;
  readonly client_name?: string;
  /** Name of the project the caller works in, as far as its transport tells (stdio: the working directory). */
  readonly project?: string;
}

export interface Progress {
  readonly done: number;
  readonly total?: number;
  readonly message?: string;
}

/** Everything a handler may know about the call besides its input. */
export interface OperationContext {
  readonly principal: Principal;
  readonly session: SessionHandle;
  /** Filled by the executor; absent: solo. */
  readonly mode?: ModeContext;
  /** Filled by the executor; absent: the session registered no agent. */
  readonly agent?: ActingAgent;
  /** What the caller's program calls itself; absent: as the principal's agent, or the acting agent, says. */
  readonly client?: string;
  /** Filled by the executor; absent: the session switched to no project, or may not see it any more. */
  readonly project?: ProjectContext;
  readonly request_id: string;
  readonly signal: AbortSignal;
  readonly reportProgress: (progress: Progress) => void;
}

export interface RestBinding {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path below /api/v1 with `{param}` for fields of the input, for example `/memories/{memory_id}`. */
  readonly path: `/${string}`;
  /** Further addresses of the same, from the root of the hub: those that existing programs call. */
  readonly also?: readonly `/${string}`[];
  /** Status of a success; 200 unless said. */
  readonly status?: 200 | 201;
}

export interface CliBinding {
  /** `haivemind <group> <verb>`. */
  readonly group: string;
  readonly verb: string;
  /** Input fields given by position, in order. A final array field takes the rest. */
  readonly positional?: readonly string[];
  /** Input field that never stands among the words of a command, where others see it: it is read from standard input. */
  readonly secret?: string;
  /** A short form at the top level, for example `search`. */
  readonly alias?: string;
  /**
   * How a terminal shows the answer. Piped there are the rows alone, and of the rest what must not go unsaid: the fields
   * `beside`, on lines that begin with their names.
   */
  readonly table?: {
    readonly rows: string;
    readonly columns: readonly string[];
    readonly beside?: readonly string[];
  };
  /** This field alone goes to standard output, for `NAME=$(haivemind ...)`; the rest is told on standard error. */
  readonly alone?: string;
}

export interface OperationExample<Input> {
  readonly title: string;
  readonly input: Input;
}

/** The text form of an answer. `stored` parts came from the store: they are data and get fenced before a model sees them. */
export interface TextPart {
  readonly kind: 'text' | 'stored';
  readonly text: string;
}

export interface OperationDefinition<Deps, In extends z.ZodObject, Out extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  /** At most 1,024 characters; what it does, when to use it, what comes back. */
  readonly description: string;
  readonly toolset: string;
  /** Core tools are loaded by clients from the start; the others may be deferred. */
  readonly core?: boolean;
  readonly input: In;
  readonly output: Out;
  readonly effects: Effects;
  readonly permission: Permission;
  /** Its calls and their refusals stand in the audit log; the handler writes the row of a call together with its act. */
  readonly audited?: boolean;
  readonly rest: RestBinding;
  readonly cli: CliBinding;
  readonly examples: readonly [OperationExample<z.input<In>>, ...OperationExample<z.input<In>>[]];
  handle(deps: Deps, input: z.output<In>, ctx: OperationContext): Promise<z.input<Out>>;
  /** Short text for models and people; the structured answer stays complete. */
  text(output: z.output<Out>): readonly TextPart[];
}

/** Types an operation without widening it. */
export function defineOperation<Deps, In extends z.ZodObject, Out extends z.ZodObject>(
  definition: OperationDefinition<Deps, In, Out>,
): OperationDefinition<Deps, In, Out> {
  return definition;
}

/** An operation with its dependencies filled in: what surfaces see. */
export interface Operation
  extends Omit<OperationDefinition<never, z.ZodObject, z.ZodObject>, 'handle' | 'text' | 'examples'> {
  readonly examples: readonly OperationExample<Record<string, unknown>>[];
  /** Validates nothing: call it through `execute` in execute.ts. */
  run(input: unknown, ctx: OperationContext): Promise<Record<string, unknown>>;
  text(output: Record<string, unknown>): readonly TextPart[];
}

/** Gives an operation its dependencies. The casts are safe because `execute` parses input with the same schema. */
export function bindOperation<Deps, In extends z.ZodObject, Out extends z.ZodObject>(
  definition: OperationDefinition<Deps, In, Out>,
  deps: Deps,
): Operation {
  return {
    ...definition,
    examples: definition.examples as unknown as readonly OperationExample<Record<string, unknown>>[],
    run: async (input, ctx) => (await definition.handle(deps, input as z.output<In>, ctx)) as Record<string, unknown>,
    text: (output) => definition.text(output as z.output<Out>),
  };
}
