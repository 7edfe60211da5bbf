// All migrations in order. A new one is a new file and a line here; a released one never changes.
import * as memoryCore from './0001-memory-core.ts';
import * as scaleOut from './0002-scale-out.ts';
import * as access from './0003-access.ts';
import * as coordination from './0004-coordination.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [
  { version: 1, name: memoryCore.name, up: memoryCore.up },
  { version: 2, name: scaleOut.name, up: scaleOut.up },
  { version: 3, name: access.name, up: access.up },
  { version: 4, name: coordination.name, up: coordination.up },
];

export const SCHEMA_VERSION = migrations.length;
