// The policy: who may do what to what. What other domains and compose.ts may use.
export { type MembershipChange, type MembershipFacts, mayChangeMembership } from './membership-rules.ts';
export {
  ACCESS_LEVELS,
  type AccessLevel,
  type Decision,
  isAdmin,
  type MemoryFacts,
  mayAddMemory,
  mayAddVault,
  mayCall,
  mayChangeMemory,
  mayGrantTo,
  mayHandleDataOf,
  mayInTeam,
  maySeeMemory,
  mayUseVault,
  mayWorkIn,
  membershipIn,
  readableTeams,
  type VaultFacts,
  type VaultGrantFacts,
  vaultLevel,
} from './policy.ts';
export { assertAllowed } from './refusals.ts';
export { type CapabilityOverrides, capabilitiesOf } from './roles.ts';
export { changeablePlaces, changeableWork, inPlace, visibleWork } from './visible-work.ts';
export { mayAddWork, mayChangeWork, mayManageWork, maySeeWork, type WorkFacts } from './work.ts';
export { placeOfWork, type WorkPlace } from './work-place.ts';
