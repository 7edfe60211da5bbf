// The operating system's user: whom stdio, the command line and trusted loopback connections act for.
import { userInfo } from 'node:os';
import type { Principal } from '../kernel/operation.ts';

/** Administers the hub of this machine: who can read its files could do anything anyway. */
export function machineOwner(machine_id: string): Principal {
  const credential = { kind: 'local', admin: true } as const;
  return { user_id: userInfo().username, agent_id: 'local', machine_id, credential };
}
