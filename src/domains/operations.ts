// All operation definitions in the order tools are listed, without opening a store: for docs, schemas and command lines.
import { agentOperations } from './agents/index.ts';
import { auditOperations } from './audit/index.ts';
import { formatOperations } from './format/index.ts';
import { identityOperations } from './identity/index.ts';
import { memoryOperations } from './memory/index.ts';
import { modeOperations } from './modes/index.ts';
import { privacyOperations } from './privacy/index.ts';
import { projectBackupOperations, projectOperations } from './projects/index.ts';
import { taskOperations } from './tasks/index.ts';
import { teamOperations } from './teams/index.ts';
import { vaultOperations } from './vaults/index.ts';

export const operationDefinitions = [
  ...memoryOperations,
  ...formatOperations,
  ...modeOperations,
  ...teamOperations,
  ...vaultOperations,
  ...agentOperations,
  ...projectOperations,
  ...projectBackupOperations,
  ...taskOperations,
  ...identityOperations,
  ...auditOperations,
  ...privacyOperations,
] as const;
