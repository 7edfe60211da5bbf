// The files behind a path: one file, the files of a folder, or the entries of a zip archive, each as a stream.
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { importBounds } from './bounds.ts';
import type { Chunk } from './lines.ts';
import type { ImportProblemCode } from './types.ts';

export interface SourceFile {
  /** Shown to people: relative to what was imported. */
  readonly path: string | undefined;
  /** Decides by its ending. */
  readonly name: string;
  /** Tells this file from all others, for ids of documents. */
  readonly identity: string | undefined;
  readonly open: () => AsyncIterable<Chunk>;
}

export interface FileProblem {
  readonly code: ImportProblemCode;
  readonly message: string;
  readonly path: string;
}

/** What may be imported from a folder; other files are none of its business. */
const IMPORTED_NAME = /\.(?:md|markdown|mdx|jsonl|ndjson|json)$/i;

/** A single file. */
export async function fileAt(path: string): Promise<SourceFile> {
  return { path: undefined, name: basename(path), identity: await realpath(path), open: () => createReadStream(path) };
}

/** The importable files below a folder in a stable order: no dotfiles, no links that lead out of the folder. */
export async function* filesBelow(root: string): AsyncGenerator<SourceFile | FileProblem> {
  const realRoot = await realpath(root);
  let files = 0;
  for await (const found of walk(realRoot, realRoot, new Set([realRoot]), 0)) {
    if (typeof found !== 'string') {
      yield found;
      continue;
    }
    files++;
    if (files > importBounds.folder_files_max_count) {
      yield {
        code: 'too_many',
        message: `more than ${importBounds.folder_files_max_count} files; the rest was left`,
        path: root,
      };
      return;
    }
    const path = relative(realRoot, found).split(sep).join('/');
    yield { path, name: basename(found), identity: found, open: () => createReadStream(found) };
  }
}

async function* walk(
  root: string,
  folder: string,
  seen: Set<string>,
  depth: number,
): AsyncGenerator<string | FileProblem> {
  const show = (path: string) => relative(root, path).split(sep).join('/') || '.';
  if (depth > importBounds.folder_depth_max_levels) {
    yield { code: 'too_deep', message: 'folders nested too deep', path: show(folder) };
    return;
  }
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    yield { code: 'unreadable', message: 'the folder cannot be read', path: show(folder) };
    return;
  }
  for (const name of names.filter((each) => !each.startsWith('.')).sort()) {
    const path = join(folder, name);
    const target = await resolved(path);
    if (target === undefined) yield { code: 'unreadable', message: 'a link that leads nowhere', path: show(path) };
    else if (target.path !== root && !target.path.startsWith(root + sep)) {
      yield { code: 'outside_root', message: 'a link that leads out of the folder was not followed', path: show(path) };
    } else if (target.isFolder) {
      if (seen.has(target.path)) continue;
      seen.add(target.path);
      yield* walk(root, target.path, seen, depth + 1);
    } else if (IMPORTED_NAME.test(name) && !seen.has(target.path)) {
      seen.add(target.path);
      yield target.path;
    }
  }
}

async function resolved(path: string): Promise<{ path: string; isFolder: boolean } | undefined> {
  try {
    const real = await realpath(path);
    return { path: real, isFolder: (await stat(real)).isDirectory() };
  } catch {
    return undefined;
  }
}
