// A progress bar on a terminal, nothing elsewhere.
import cliProgress from 'cli-progress';
import type { OutputStream } from './contract.ts';

// CommonJS, whose names Node finds at run time only.
const { Format, Presets, SingleBar } = cliProgress;

export interface Bar {
  update(done: number, note: string): void;
  /** Prints lines above the bar. */
  print(text: string): void;
  stop(): void;
}

/** `stream` is where the bar goes; without one, or where it is no terminal, only `print` writes. */
export function progressBar(stream: OutputStream | undefined, title: string, total: number | undefined): Bar {
  if (!stream?.isTTY) return { update: () => {}, print: (text) => stream?.write(text), stop: () => {} };
  const known = total !== undefined && total > 0;
  const bar = new SingleBar(
    {
      format: known ? `${title} {bar} {percentage}% | {note}` : `${title} {note}`,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      fps: 10,
      formatBar: Format.BarFormat,
    },
    Presets.shades_classic,
  );
  let note = '';
  let done = 0;
  bar.start(known ? total : 1, 0, { note });
  return {
    update(value, text) {
      done = value;
      note = text;
      bar.update(known ? value : 0, { note });
    },
    print(text) {
      stream.write(`\r\u001b[K${text}`);
      bar.update(known ? done : 0, { note });
    },
    stop: () => bar.stop(),
  };
}
