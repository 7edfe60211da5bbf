// Names of agents: `<machine>-<role>`, made longer where another has that name.
import type { Principal } from '../../kernel/operation.ts';
import { agentMachineFixed } from './errors.ts';

const MACHINE_MAX_CHARS = 40;
const ROLE_MAX_CHARS = 30;
const USER_MAX_CHARS = 30;
const CLIENT_MAX_CHARS = 20;
/** Roles that are spelled alike as names: that many of one user's client on one machine get one. */
const NUMBERED_MAX_COUNT = 50;

export interface Named {
  readonly machine: string;
  readonly role: string;
  readonly user_id: string;
  readonly client: string;
}

/** Names for an agent, the one to take first before the others. */
export function namesFor({ machine, role, user_id, client }: Named): readonly [string, ...string[]] {
  const plain = `${part(machine, MACHINE_MAX_CHARS)}-${part(role, ROLE_MAX_CHARS)}`;
  const ofUser = `${plain}-${part(user_id, USER_MAX_CHARS)}`;
  const ofClient = `${ofUser}-${part(client, CLIENT_MAX_CHARS)}`;
  const numbered = Array.from({ length: NUMBERED_MAX_COUNT }, (_, i) => `${ofClient}-${i + 2}`);
  return [plain, ofUser, ofClient, ...numbered];
}

/** Only what an id may hold and a URI needs no escape for. */
function part(text: string, max_chars: number): string {
  const plain = text
    .replace(/[^A-Za-z0-9._@-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, max_chars)
    .replace(/[-.]+$/, '');
  return plain === '' ? 'agent' : plain;
}

/**
 * The machine an agent works on: the caller's own, unless it names another, for example one that it operates over SSH.
 * That gives the agent its name and the capabilities of that machine's group, and nothing else: what it writes carries the
 * machine it calls from. A credential that is for one machine names no other: throws `forbidden`.
 */
export function machineOf({ machine_id, credential }: Principal, named: string | undefined): string {
  if (named === undefined || named === machine_id) return machine_id;
  if (credential?.machine_id !== undefined) throw agentMachineFixed(credential.machine_id);
  return named;
}
