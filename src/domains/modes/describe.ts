// A mode in words: what it is about, and what it means for what is stored and found.
import type { ModeContext, OperatingMode, Principal } from '../../kernel/operation.ts';
import { membershipIn } from '../access/index.ts';
import type { ModeDeps } from './deps.ts';

export const MEANING: Readonly<Record<OperatingMode, string>> = {
  solo: 'New memories are yours alone; search sees your own memories, others on request.',
  team: "New memories go to the team; search sees the team's and shared memories, your own on request.",
  vault: 'For work with secrets: every call is audited; new memories are yours alone and search sees your own.',
};

/** Name of the team or vault; null where there is none, or none that may be seen. */
export async function contextName(
  { listVaults }: Pick<ModeDeps, 'listVaults'>,
  principal: Principal,
  { mode, context_id }: ModeContext,
): Promise<string | null> {
  if (context_id === null) return null;
  if (mode === 'team') return membershipIn(principal, context_id)?.team_name ?? null;
  const vaults = await listVaults(principal);
  return vaults.find((vault) => vault.vault_id === context_id)?.name ?? null;
}
