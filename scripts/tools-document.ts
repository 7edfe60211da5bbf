// The text of docs/tools.md: every operation as a tool, a REST call and a command.
import type { Effects } from '../src/kernel/operation.ts';
import type { OperationShape } from '../src/surfaces/cli/contract.ts';
import { type Field, fieldsOf } from '../src/surfaces/cli/fields.ts';
import { commandLineOf } from '../src/surfaces/cli/operation-command.ts';

const HEAD = `# Tools

Generated from the operations by \`npm run docs\`; do not edit. Each operation is an MCP tool, a REST route below
\`/api/v1\` and a command of \`haivemind\`. Every answer has the same fields on all three.
`;

/** Operations in their order, grouped by toolset. */
export function toolsDocument(operations: readonly OperationShape[]): string {
  const toolsets = Map.groupBy(operations, (operation) => operation.toolset);
  const contents = [...toolsets].map(([toolset, members]) => {
    const links = members.map((operation) => `[${operation.name}](#${operation.name})`);
    return `- **${toolset}** (${members.length}): ${links.join(', ')}`;
  });
  const sections = [...toolsets].map(
    ([toolset, members]) => `\n## Toolset ${toolset}\n${members.map(operationSection).join('')}`,
  );
  return `${HEAD}\n${operations.length} operations.\n\n${contents.join('\n')}\n${sections.join('')}`;
}

function operationSection(operation: OperationShape): string {
  const { name, title, description, effects, permission, rest, cli } = operation;
  const [example] = operation.examples;
  const command = `haivemind ${cli.group} ${cli.verb}`;
  return `
### ${name}

${title}. ${description}

- Effects: ${effectsOf(effects)}. Permission: \`${permission}\`.${operation.core ? ' Core tool.' : ''}
- REST: \`${rest.method} /api/v1${rest.path}\`
- CLI: \`${command}\`${cli.alias ? `, short \`haivemind ${cli.alias}\`` : ''}

${fieldsTable(fieldsOf(operation.input))}
${answerLine(operation)}
${example ? exampleOf(operation, example) : ''}`;
}

function effectsOf(effects: Effects): string {
  const words = [effects.readOnly ? 'reads only' : effects.destructive ? 'changes or removes what is there' : 'adds'];
  if (!effects.readOnly && effects.idempotent) words.push('doing it again changes nothing more');
  if (effects.openWorld) words.push('reaches beyond this installation');
  return words.join('; ');
}

function fieldsTable(fields: readonly Field[]): string {
  if (fields.length === 0) return 'Takes no fields.\n';
  const rows = fields.map((field) => {
    const choices = field.choices ? `: ${field.choices.map((choice) => `\`${choice}\``).join(', ')}` : '';
    const fallback = field.fallback === undefined ? '' : ` Default \`${JSON.stringify(field.fallback)}\`.`;
    const required = field.required ? 'yes' : '';
    return `| \`${field.name}\` | ${TYPES[field.kind]}${cell(choices)} | ${required} | ${cell(field.description)}${cell(fallback)} |`;
  });
  return ['| field | type | required | |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

const TYPES: Readonly<Record<Field['kind'], string>> = {
  string: 'text',
  number: 'number',
  boolean: 'true or false',
  strings: 'text or list',
  numbers: 'list of numbers',
  json: 'object',
  any: 'text or object',
};

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function answerLine(operation: OperationShape): string {
  return `Answer: ${Object.keys(operation.output.shape)
    .map((field) => `\`${field}\``)
    .join(', ')}.\n`;
}

function exampleOf(operation: OperationShape, example: OperationShape['examples'][number]): string {
  return `Example, ${example.title.charAt(0).toLowerCase()}${example.title.slice(1)}:

\`\`\`sh
${commandLineOf(operation, example.input)}
\`\`\`

\`\`\`json
${JSON.stringify(example.input)}
\`\`\`
`;
}
