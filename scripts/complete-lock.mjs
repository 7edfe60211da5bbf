// Adds to package-lock.json the optional packages of other platforms that npm left out because the registry it asked
// does not carry them. `npm ci` refuses a lock without them, on every platform. Run after npm install or npm update.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

const path = join(dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json');
const lock = JSON.parse(readFileSync(path, 'utf8'));
const added = complete(lock.packages);
if (added.length > 0) {
  lock.packages = sorted(lock.packages);
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
}
process.stdout.write(`${added.length} optional packages added to package-lock.json\n`);

function complete(packages) {
  const added = [];
  for (const [parent, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const version = /^[~^]?(\d+\.\d+\.\d+\S*)$/.exec(range)?.[1];
      if (version === undefined) continue;
      const found = nearest(packages, parent, name);
      if (found && (found.version === version || range !== version)) continue;
      // Beside a package of the same name and another version it goes below its own parent.
      // Without a checksum, which only the registry could give; npm takes it at the first installation there.
      const place = found ? `${parent}/node_modules/${name}` : `node_modules/${name}`;
      packages[place] = { version, ...platformOf(name), dev: entry.dev, optional: true };
      added.push(name);
    }
  }
  return added;
}

/** What a package finds by this name: beside itself or in any node_modules above. */
function nearest(packages, parent, name) {
  for (let place = parent; ; place = place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/')))) {
    const found = packages[`${place === '' ? '' : `${place}/`}node_modules/${name}`];
    if (found || place === '') return found;
  }
}

/** Packages of one platform have it in their names: `@biomejs/cli-darwin-arm64`. */
function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  return { ...(os ? { os: [os] } : {}), ...(cpu ? { cpu: [cpu] } : {}) };
}

function sorted(packages) {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
}
