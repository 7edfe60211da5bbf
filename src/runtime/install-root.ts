// Where this program is installed: the folder that holds models/, whether it runs from src/ or from the bundle.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export function installRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'models')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
