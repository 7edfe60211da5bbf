// `haivemind completion`: scripts that complete groups, verbs, flags and their choices, made from the commands themselves.
import type { Command, Option } from 'commander';
import { failure } from '../../../kernel/errors.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import type { GlobalOptions } from '../globals.ts';

type Script = (nodes: readonly Node[]) => string;

/** One place on the command line: the words that led there, and what may follow. */
interface Node {
  /** `memory search`, or empty at the top. */
  readonly path: string;
  readonly children: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly { readonly name: string; readonly text: string; readonly choices: readonly string[] }[];
}

export async function runCompletion(
  words: readonly string[],
  _flags: GlobalOptions,
  program: Command,
  ctx: CliContext,
): Promise<number> {
  const shell = words[0] ?? '';
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (!script) throw failure('invalid_input', `There is no completion for ${shell}.`, 'Use bash, zsh or fish.');
  ctx.io.stdout.write(script(nodesOf(program, [])));
  return EXIT.ok;
}

function nodesOf(command: Command, path: readonly string[]): Node[] {
  const here: Node = {
    path: path.join(' '),
    children: command.commands.map((child) => ({
      name: child.name(),
      summary: oneLine(child.summary() || child.description()),
    })),
    flags: command.options.filter((option) => !option.hidden && option.long).map(flagOf),
  };
  return [here, ...command.commands.flatMap((child) => nodesOf(child, [...path, child.name()]))];
}

function flagOf(option: Option): Node['flags'][number] {
  const inText = /\(((?:[\w-]+, )+[\w-]+)\)/.exec(option.description)?.[1]?.split(', ');
  return { name: option.long ?? '', text: oneLine(option.description), choices: option.argChoices ?? inText ?? [] };
}

const SCRIPTS: Readonly<Record<string, Script>> = { bash, zsh, fish };

/** Bash and zsh ask one function: words so far in, candidates out. */
function candidates(nodes: readonly Node[]): string {
  const cases = nodes.map((node) => {
    const all = [...node.children.map((child) => child.name), ...node.flags.map((flag) => flag.name)];
    return `    ${word(node.path)}) printf '%s\\n' ${all.map(word).join(' ')} ;;`;
  });
  const values = nodes.flatMap((node) =>
    node.flags
      .filter((flag) => flag.choices.length > 0)
      .map((flag) => `    ${word(`${node.path} ${flag.name}`)}) printf '%s\\n' ${flag.choices.map(word).join(' ')} ;;`),
  );
  return `_haivemind_candidates() {
  case "$1" in
${cases.join('\n')}
  esac
}
_haivemind_values() {
  case "$1" in
${values.join('\n')}
    *) return 1 ;;
  esac
}
_haivemind_is_path() {
  case "$1" in
    ${nodes
      .filter((node) => node.path !== '')
      .map((node) => word(node.path))
      .join('|')}) return 0 ;;
  esac
  return 1
}`;
}

function bash(nodes: readonly Node[]): string {
  return `# haivemind completion for bash: source <(haivemind completion bash)
${candidates(nodes)}
_haivemind() {
  local path='' word next current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    _haivemind_is_path "$next" && path="$next"
  done
  local values
  if values=$(_haivemind_values "$path $previous"); then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$(_haivemind_candidates "$path")" -- "$current"))
  fi
}
complete -o default -F _haivemind haivemind
`;
}

function zsh(nodes: readonly Node[]): string {
  return `#compdef haivemind
# haivemind completion for zsh: source <(haivemind completion zsh)
${candidates(nodes)}
_haivemind() {
  local path_so_far='' word next values
  for word in "\${words[@]:1:CURRENT-2}"; do
    next="\${path_so_far:+$path_so_far }$word"
    _haivemind_is_path "$next" && path_so_far="$next"
  done
  if values=$(_haivemind_values "$path_so_far \${words[CURRENT-1]}"); then
    compadd -- \${(f)values}
  else
    compadd -- \${(f)"$(_haivemind_candidates "$path_so_far")"}
  fi
}
compdef _haivemind haivemind
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap((node) => {
    const words = node.path === '' ? [] : node.path.split(' ');
    const condition = word(
      [...words.map((name) => `__fish_seen_subcommand_from ${name}`), ...notYet(node)].join('; and '),
    );
    const when = condition === "''" ? '' : ` -n ${condition}`;
    return [
      ...node.children.map(
        (child) => `complete -c haivemind -f${when} -a ${word(child.name)} -d ${word(child.summary)}`,
      ),
      ...node.flags.map((flag) => {
        const values = flag.choices.length > 0 ? ` -x -a ${word(flag.choices.join(' '))}` : '';
        return `complete -c haivemind${when} -l ${word(flag.name.slice(2))} -d ${word(flag.text)}${values}`;
      }),
    ];
  });
  return `# haivemind completion for fish: haivemind completion fish | source\n${[...new Set(lines)].join('\n')}\n`;
}

function notYet(node: Node): string[] {
  if (node.children.length === 0) return [];
  return [`not __fish_seen_subcommand_from ${node.children.map((child) => child.name).join(' ')}`];
}

/** A word in single quotes, which all three shells read alike as long as it holds none itself. */
function word(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll('\\', '').replaceAll("'", '’')}'`;
}

function oneLine(text: string): string {
  const [first = ''] = text.split('\n');
  return first.length > 100 ? `${first.slice(0, 99)}…` : first;
}
