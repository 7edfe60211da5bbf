// The key ring in a variable of the environment: for containers that are given their secrets by what starts them.
import { failure } from '../../kernel/errors.ts';
import { fromText } from './master-key.ts';
import type { KeyRing, MasterKey } from './port.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** `name` holds 32 bytes in base64, or several separated by commas: the first is current, the others are earlier ones. */
export function environmentKeyRing(name: string, env: Environment): KeyRing {
  return {
    place: `environment variable ${name}`,
    current: async () => keysIn(name, env)[0],
    find: async (id) => keysIn(name, env).find((key) => key.id === id),
    async rotate() {
      keysIn(name, env);
      throw failure(
        'invalid_input',
        `The master key comes from the variable ${name}, which only those can change who set it.`,
        `Put a new key and a comma before its value (openssl rand -base64 32) and start again; keep the earlier keys there.`,
      );
    },
  };
}

function keysIn(name: string, env: Environment): [MasterKey, ...MasterKey[]] {
  const value = env[name]?.trim();
  const hint = 'Set it to 32 bytes in base64 (openssl rand -base64 32); earlier keys follow after commas.';
  if (!value) throw failure('config_invalid', `The variable ${name} with the master key is not set.`, hint);
  const [first, ...others] = value.split(',').map((part, index) => {
    const key = fromText(part.trim());
    if (key) return key;
    throw failure('config_invalid', `Key number ${index + 1} in the variable ${name} is not 32 bytes in base64.`, hint);
  });
  if (!first) throw failure('config_invalid', `The variable ${name} holds no key.`, hint);
  return [first, ...others];
}
