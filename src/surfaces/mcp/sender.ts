// Who sent a message: as data, since another hub may have to carry it out, and beside the message on its way through
// the SDK, since a session lives longer than the credential that began it.
import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server';
import type { Credential, Principal } from '../../kernel/operation.ts';

export interface Sender {
  readonly user_id: string;
  /** Fixed by the credential; wins over every name the client gives itself. */
  readonly agent_id?: string | undefined;
  /** For a client that gives itself no name. */
  readonly default_agent_id: string;
  readonly machine_id: string;
  readonly credential?: Credential | undefined;
}

/** The principal of a sender that works through the agent its client or transport names. */
export function principalOf(sender: Sender, agent_id: string | undefined): Principal {
  const { user_id, machine_id, credential } = sender;
  const agent = sender.agent_id ?? agent_id ?? sender.default_agent_id;
  return { user_id, agent_id: agent, machine_id, ...(credential === undefined ? {} : { credential }) };
}

/** For a message of a session that came without its sender: the owner's, who may do nothing with it. */
export function powerless(user_id: string): Sender {
  const credential: Credential = { kind: 'token', admin: false, scopes: [] };
  return { user_id, default_agent_id: 'unknown', machine_id: 'unknown', credential };
}

const senders = new WeakMap<AuthInfo, Sender>();

/** The sender in the form in which the SDK hands it on with a message; the token itself stays behind. */
export function asAuthInfo(sender: Sender): AuthInfo {
  const info: AuthInfo = { token: '', clientId: sender.user_id, scopes: [] };
  senders.set(info, sender);
  return info;
}

export function senderOf(mcp: ServerContext): Sender | undefined {
  const info = mcp.http?.authInfo;
  return info && senders.get(info);
}
