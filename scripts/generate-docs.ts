// Writes what is derived from definitions: docs/tools.md from the operations, config/config.schema.json from the
// configuration's schema. With --check it compares instead and exits 1 where a file is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { configSchema } from '../src/config/schema.ts';
import { operationDefinitions } from '../src/domains/operations.ts';
import { toolsDocument } from './tools-document.ts';

const root = join(import.meta.dirname, '..');

const FILES: readonly { readonly path: string; readonly text: string }[] = [
  { path: 'docs/tools.md', text: toolsDocument(operationDefinitions) },
  {
    path: 'config/config.schema.json',
    text: `${JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' }), null, 2)}\n`,
  },
];

if (process.argv.includes('--check')) check();
else for (const file of FILES) writeFileSync(join(root, file.path), file.text);

function check(): void {
  const stale = FILES.filter((file) => readIfPresent(join(root, file.path)) !== file.text);
  for (const file of stale) console.log(`${file.path} is out of date: run npm run docs`);
  if (stale.length === 0) console.log('generated documents are up to date');
  process.exitCode = stale.length > 0 ? 1 : 0;
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
