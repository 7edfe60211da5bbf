// Installs the engines that Debian packages, for `npm test` on a machine that lacks them.
import { spawnSync } from 'node:child_process';

/** Seconds to wait while another process holds dpkg's lock. */
const LOCK_WAIT_S = 120;

/**
 * These packages start services of the machine's own when they are installed, which the tests do not use. Debian's way
 * to keep packages from doing so is a policy-rc.d; one that is there is its owner's decision and stays as it is. Ours
 * speaks of these services only, and only while this installation runs, also where it is killed and cannot remove
 * it. Settings of the packages (create_main_cluster) and services are not touched: what starts with the machine from
 * then on is as with any installation of them.
 */
const ROOT_SCRIPT = `
set -eu
policy=$1
shift
export DEBIAN_FRONTEND=noninteractive
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM HUP
  cat > "$policy" <<END
#!/bin/sh
kill -0 $$ 2>/dev/null || exit 0
case "\\$1" in postgresql*|redis*|dbus*) exit 101 ;; esac
exit 0
END
  chmod 755 "$policy"
fi
install() {
  apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=${LOCK_WAIT_S} "$@" </dev/null
}
install "$@" || { apt-get update -q -o DPkg::Lock::Timeout=${LOCK_WAIT_S} </dev/null && install "$@"; }
`;

const POLICY_FILE = '/usr/sbin/policy-rc.d';
const OUTPUT_LINES_SHOWN = 15;

/** Undefined when they are installed; otherwise why not, in words for the reader. */
export function installDebianPackages(packages: readonly string[], policy_file = POLICY_FILE): string | undefined {
  if (spawnSync('apt-get', ['--version']).status !== 0) return 'this machine has no apt-get';
  const words = ['sh', '-c', ROOT_SCRIPT, 'haivemind-engines', policy_file, ...packages];
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && spawnSync('sudo', ['-n', 'true']).status !== 0)
    return 'it needs root, and sudo is not there or asks for a password';
  const [command = '', ...args] = isRoot ? words : ['sudo', '-n', ...words];
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (result.status === 0) return undefined;
  const said = `${result.stdout ?? ''}\n${result.stderr ?? ''}${result.error?.message ?? ''}`.trim().split('\n');
  return `apt-get failed:\n${said.slice(-OUTPUT_LINES_SHOWN).join('\n')}`;
}
