// The two projects of a test run: everything on SQLite, and once more on PostgreSQL what stands on the store.
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { skippedEngines } from './engines/skipped.ts';

const NOT_OURS = ['node_modules/**', 'dist/**'];
const NIGHTLY = '**/*.nightly.test.ts';

/** Rules and formats that ask no store: what they do cannot depend on the engine. */
const WITHOUT_A_STORE = ['src/domains/memory/{redaction,ranking,import,export}/**'];

/** `--project sqlite` or `--project postgres` runs one of them. */
export function projects({ nightly }: { readonly nightly: boolean }): TestProjectInlineConfiguration[] {
  const exclude = nightly ? NOT_OURS : [...NOT_OURS, NIGHTLY];
  const sqlite: TestProjectInlineConfiguration = {
    extends: true,
    test: { name: 'sqlite', include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'], exclude },
  };
  const postgres: TestProjectInlineConfiguration = {
    extends: true,
    test: {
      name: 'postgres',
      include: [
        'src/domains/**/*.test.ts',
        'src/runtime/**/*.test.ts',
        'src/storage/{changes,write-queue}.test.ts',
        'src/storage/text/transactions.test.ts',
        'test/engines/store.test.ts',
      ],
      exclude: [...exclude, ...WITHOUT_A_STORE],
      env: { HAIVEMIND_TEST_ENGINE: 'postgres' },
      globalSetup: ['test/engines/run-postgres.ts'],
      setupFiles: ['test/engines/postgres-url.ts'],
    },
  };
  return skippedEngines(process.env.HAIVEMIND_TEST_SKIP_ENGINES).includes('postgres') ? [sqlite] : [sqlite, postgres];
}
