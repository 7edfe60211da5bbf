// What an agent can do by the machine it works on: capabilities of the groups a machine is in.
import type { MachineGroups } from './deps.ts';

/** Capabilities of all groups the machine is in, in the groups' order, lower-cased, without repeats. */
export function capabilitiesOfMachine(machine: string, groups: MachineGroups): readonly string[] {
  const all = Object.values(groups)
    .filter(({ machines }) => machines.some((pattern) => matches(pattern, machine)))
    .flatMap(({ capabilities }) => capabilities.map((capability) => capability.trim().toLowerCase()));
  return [...new Set(all)].filter((capability) => capability !== '');
}

/** Whether a name is the pattern's, where `*` stands for any text. Upper and lower case are the same. */
export function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.trim().toLowerCase().split('*');
  const text = name.toLowerCase();
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  // What stands between two stars is found where it comes first: that leaves most for what follows.
  let from = first.length;
  const to = text.length - last.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at < 0 || at + part.length > to) return false;
    from = at + part.length;
  }
  return true;
}
