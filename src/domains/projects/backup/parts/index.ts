// The parts of a backup in the order in which they are written and put back: what others need comes first.
import { activityPart } from './activity.ts';
import { healthPart } from './health.ts';
import { memoriesPart } from './memories.ts';
import { memoryVersionsPart } from './memory-versions.ts';
import type { ProjectPart } from './part.ts';
import { projectPart } from './project.ts';
import { dependenciesPart } from './task-dependencies.ts';
import { taskHistoryPart } from './task-history.ts';
import { tasksPart } from './tasks.ts';
import { vaultKeysPart, vaultSecretsPart, vaultSecretVersionsPart, vaultsPart } from './vaults.ts';

export const PARTS: readonly ProjectPart[] = [
  projectPart,
  vaultsPart,
  vaultKeysPart,
  vaultSecretsPart,
  vaultSecretVersionsPart,
  memoriesPart,
  memoryVersionsPart,
  tasksPart,
  dependenciesPart,
  taskHistoryPart,
  activityPart,
  healthPart,
];

export function partsFor(include_history: boolean): readonly ProjectPart[] {
  return PARTS.filter(({ history }) => include_history || !history);
}

/** What a backup has, unless its maker may not read it. */
export function partNames(include_history: boolean): readonly string[] {
  return partsFor(include_history).map(({ name }) => name);
}
