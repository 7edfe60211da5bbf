// The key ring in a file: every key there ever was, the current one last. Read anew each time, as another process may rotate.
import { failure } from '../../kernel/errors.ts';
import { currentOf, type KeyList, readKeyList, writeKeyList } from './key-list.ts';
import { makeMasterKey } from './master-key.ts';
import type { KeyRing } from './port.ts';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from './private-file.ts';

/** `path` is absolute. The file is made with the first key, by the first `current` or `rotate`. */
export function fileKeyRing(path: string): KeyRing {
  const read = (): KeyList | undefined => listIn(path, readPrivateFile(path));
  const readOrMake = (): KeyList => {
    const found = read();
    if (found) return found;
    createPrivateFile(path, writeKeyList([makeMasterKey()]));
    return read() ?? vanished(path);
  };
  return {
    place: `file ${path}`,
    current: async () => currentOf(readOrMake()),
    find: async (id) => read()?.find((key) => key.id === id),
    async rotate() {
      readOrMake();
      const next = makeMasterKey();
      replacePrivateFile(path, (text) => {
        const earlier = listIn(path, text) ?? vanished(path);
        return writeKeyList([...earlier, next]);
      });
      return next;
    },
  };
}

function listIn(path: string, text: string | undefined): KeyList | undefined {
  if (text === undefined) return undefined;
  const keys = readKeyList(text);
  if (keys) return keys;
  throw failure(
    'config_invalid',
    `${path} is not a file of master keys, or it was damaged.`,
    'Put back the copy you keep of it. Without its keys what they sealed stays closed; move it away only to begin anew.',
  );
}

function vanished(path: string): never {
  throw failure('unavailable', `${path} was removed while it was used.`, 'Put it back, or try again.');
}
