// The conversations inside a zip archive, as ChatGPT and Claude.ai send their exports; entries are read as streams.
import { basename } from 'node:path';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { importBounds } from './bounds.ts';
import type { FileProblem, SourceFile } from './files.ts';

/** Entries worth reading: conversations, notes and records; not the images, the web page and the account data beside them. */
const ENTRY_NAME = /(?:^|\/)(?:conversations(?:[-_]\d+)?\.json|[^/]+\.(?:jsonl|md|markdown))$/i;

/** The importable entries of an archive in its order. Names are only shown, never used as paths. */
export async function* entriesOf(path: string): AsyncGenerator<SourceFile | FileProblem> {
  const archive = await openPromise(path, { autoClose: false });
  try {
    let entries = 0;
    for await (const entry of archive.eachEntry()) {
      entries++;
      if (entries > importBounds.archive_entries_max_count) {
        const message = `more than ${importBounds.archive_entries_max_count} entries; the rest was left`;
        yield { code: 'too_many', message, path: basename(path) };
        return;
      }
      const name = entry.fileName;
      if (!ENTRY_NAME.test(name) || name.split('/').some((part) => part.startsWith('.') || part === '__MACOSX'))
        continue;
      if (entry.uncompressedSize > importBounds.archive_entry_size_max_bytes) {
        yield { code: 'too_large', message: 'an entry of the archive is too large', path: name };
        continue;
      }
      yield { path: name, name: basename(name), identity: `${path}!${name}`, open: () => readEntry(archive, entry) };
    }
  } finally {
    archive.close();
  }
}

async function* readEntry(archive: ZipFile, entry: Entry): AsyncGenerator<Uint8Array> {
  yield* await archive.openReadStreamPromise(entry);
}
