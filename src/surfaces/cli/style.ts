// Colours of the terminal, only where they are wanted: a terminal, no NO_COLOR, no --no-color.
import type { CliIo, OutputStream } from './contract.ts';

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

const ESCAPE = '\u001b[';

function paint(open: number, close: number): (text: string) => string {
  return (text) => `${ESCAPE}${open}m${text}${ESCAPE}${close}m`;
}

const COLOURED: Style = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  cyan: paint(36, 39),
};

const same = (text: string): string => text;
export const PLAIN: Style = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

/** NO_COLOR counts when it is set and not empty (https://no-color.org); FORCE_COLOR is for recordings. */
export function styleFor(stream: OutputStream, env: CliIo['env'], wanted = true): Style {
  if (!wanted || env.NO_COLOR) return PLAIN;
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return COLOURED;
  return stream.isTTY && env.TERM !== 'dumb' ? COLOURED : PLAIN;
}
