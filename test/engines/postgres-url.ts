// Tells each file of the project on PostgreSQL where the server of this run is.
import { inject } from 'vitest';

const postgres = inject('postgres_of_run');
if ('error' in postgres) throw new Error(postgres.error);
process.env.HAIVEMIND_TEST_POSTGRES_URL = postgres.url;
