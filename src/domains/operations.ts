// All operation definitions in the order tools are listed, without opening a store: for docs, schemas and command lines.
import { formatOperations } from './format/index.ts';
import { identityOperations } from './identity/index.ts';
import { memoryOperations } from './memory/index.ts';

export const operationDefinitions = [...memoryOperations, ...formatOperations, ...identityOperations] as const;
