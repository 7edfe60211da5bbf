// Which engines a developer leaves out of a test run.

const ENGINE_NAMES = ['postgres', 'redis', 'chroma', 'pgvector', 'keyring'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** Those that come from npm; the others are programs of this machine. */
export const PACKAGE_ENGINES: readonly EngineName[] = ['chroma', 'pgvector'];

/** Reads `HAIVEMIND_TEST_SKIP_ENGINES`. Throws on a name that is none: a typing error must not look like a full run. */
export function skippedEngines(value: string | undefined): EngineName[] {
  const words = (value ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const unknown = words.filter((word) => !ENGINE_NAMES.some((name) => name === word));
  if (unknown.length > 0)
    throw new Error(
      `HAIVEMIND_TEST_SKIP_ENGINES names ${unknown.join(', ')}; the engines are ${ENGINE_NAMES.join(', ')}.`,
    );
  return ENGINE_NAMES.filter((name) => words.includes(name));
}
