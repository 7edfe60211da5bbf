// What the roles of a team allow, and how a member's own overrides change it.
import { TEAM_CAPABILITIES, type TeamCapability, type TeamRole } from '../../kernel/operation.ts';

const READING: readonly TeamCapability[] = ['memory.read', 'vault.read', 'work.read', 'members.read', 'activity.read'];

/** A guest sees the team's memories and nothing else: vaults have to be shared with a guest one by one. */
const ROLE_CAPABILITIES: Readonly<Record<TeamRole, readonly TeamCapability[]>> = {
  owner: TEAM_CAPABILITIES,
  admin: TEAM_CAPABILITIES,
  member: [...READING, 'memory.write', 'vault.write', 'work.write'],
  readonly: READING,
  guest: ['memory.read'],
};

/** Capabilities given to (`true`) or taken from (`false`) one member, whatever the role says. */
export type CapabilityOverrides = Readonly<Partial<Record<TeamCapability, boolean>>>;

/** An owner keeps everything: a team nobody can administer would be lost. */
export function capabilitiesOf(role: TeamRole, overrides: CapabilityOverrides): ReadonlySet<TeamCapability> {
  const has = new Set<TeamCapability>(ROLE_CAPABILITIES[role]);
  if (role === 'owner') return has;
  for (const capability of TEAM_CAPABILITIES) {
    if (overrides[capability] === true) has.add(capability);
    if (overrides[capability] === false) has.delete(capability);
  }
  return has;
}
