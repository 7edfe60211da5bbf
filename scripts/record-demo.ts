// Records docs/demo.svg: runs real commands on the built product in an empty data directory and draws what they print.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const COLUMNS = 96;
const LINE_PX = 19;
const CHAR_PX = 8.43;
const PADDING_PX = 18;

const COMMANDS: readonly (readonly string[])[] = [
  [
    'store',
    'checkout 502s: ingress keeps connections 60 s, tomcat closes idle ones after 10 s',
    '--category',
    'incidents',
    '--tags',
    'ingress,tomcat',
  ],
  [
    'store',
    'db-primary: vacuum blocked by a replication slot of the old replica; drop the slot first',
    '--category',
    'runbooks',
  ],
  ['store', 'deploys to prod need a change ticket since March', '--category', 'deployments'],
  ['search', 'why does the shop answer with bad gateway', '--limit', '1'],
  ['memory', 'sources'],
  ['doctor'],
];

const COLOURS: Readonly<Record<string, string>> = {
  '31': '#f97583',
  '32': '#85e89d',
  '33': '#ffea7f',
  '36': '#79d4fd',
  '1': '#ffffff',
  '2': '#8b949e',
};

interface Piece {
  readonly text: string;
  readonly colour: string | undefined;
}

const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-'));
try {
  writeFileSync(join(root, 'docs', 'demo.svg'), svgOf(COMMANDS.flatMap(record)));
} finally {
  rmSync(data_dir, { recursive: true, force: true });
}

/** The lines of one command: what was typed, what came back. Runs under `script`, which gives it a terminal, away from the clone's configuration. */
function record(words: readonly string[]): Piece[][] {
  const shown = words.map((word) => (/^[\w,.-]+$/.test(word) ? word : `"${word}"`)).join(' ');
  const command = `stty cols ${COLUMNS}; "${process.execPath}" "${join(root, 'dist', 'cli.js')}" ${shown}`;
  const env = {
    PATH: process.env.PATH,
    HOME: data_dir,
    TERM: 'xterm',
    HAIVEMIND_DATA_DIR: data_dir,
    HAIVEMIND_PORT: '0',
    HAIVEMIND_SYNC_PORT: '0',
  };
  const result = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', env, cwd: data_dir });
  if (result.status !== 0) throw new Error(`haivemind ${shown} ended with ${result.status}:\n${result.stdout}`);
  const output = result.stdout
    .replaceAll('\r', '')
    .replaceAll(data_dir, '~/.local/share/haivemind')
    .replaceAll(root, '~/haivemind')
    .trimEnd();
  return [
    [
      { text: '$ ', colour: '#85e89d' },
      { text: `haivemind ${shown}`, colour: '#ffffff' },
    ],
    ...output.split('\n').map(piecesOf),
    [],
  ];
}

function piecesOf(line: string): Piece[] {
  let colour: string | undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with one
  return line.split(/(\u001b\[\d+m)/).flatMap((part) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the same
    const code = /^\u001b\[(\d+)m$/.exec(part)?.[1];
    if (code === undefined) return part === '' ? [] : [{ text: part, colour }];
    colour = COLOURS[code];
    return [];
  });
}

function svgOf(lines: readonly Piece[][]): string {
  const cut = lines.flatMap(wrapped);
  const width = Math.ceil(COLUMNS * CHAR_PX + 2 * PADDING_PX);
  const height = cut.length * LINE_PX + 2 * PADDING_PX;
  const rows = cut.map((pieces, index) => {
    const spans = pieces.map(
      ({ text, colour }) => `<tspan${colour ? ` fill="${colour}"` : ''}>${escaped(text)}</tspan>`,
    );
    return `<text x="${PADDING_PX}" y="${PADDING_PX + LINE_PX * (index + 0.75)}">${spans.join('')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A terminal: memories are stored, found by a question in other words, and the installation is checked">
<rect width="100%" height="100%" rx="8" fill="#161b22"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#c9d1d9" xml:space="preserve">
${rows.join('\n')}
</g>
</svg>
`;
}

/** A typed line may be longer than the terminal. */
function wrapped(pieces: readonly Piece[]): Piece[][] {
  const [first, second] = pieces;
  const tooLong = second !== undefined && first?.text === '$ ' && second.text.length + 2 > COLUMNS;
  if (!tooLong || second === undefined || first === undefined) return [[...pieces]];
  const end = second.text.lastIndexOf(' ', COLUMNS - 4);
  return [
    [first, { ...second, text: `${second.text.slice(0, end)} \\` }],
    [{ text: `    ${second.text.slice(end + 1)}`, colour: second.colour }],
  ];
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
