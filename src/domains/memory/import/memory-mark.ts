// The line that begins each memory in a Markdown file of many, and how a text that holds such a line is kept apart from it.

const MARK = '<!-- haivemind memory -->';
const MARKED_LINE = /^(\\*)<!-- haivemind memory -->$/gm;

/** A memory's text for a file of many: the mark, then the text with its own marks escaped by a backslash. */
export function markMemory(text: string): string {
  return `${MARK}\n${text.replace(MARKED_LINE, `\\$1${MARK}`)}`;
}

/** The memories of a file of many, or undefined where the text is an ordinary document. */
export function splitMemories(text: string): string[] | undefined {
  if (!text.startsWith(`${MARK}\n`)) return undefined;
  const memories = text.split(/^<!-- haivemind memory -->\n/m).slice(1);
  return memories.map((memory) => memory.replace(MARKED_LINE, (line: string) => line.slice(1)));
}
