// What the product weighs: resident memory of its processes, bytes of a memory on disk and in main memory.
import { httpClient, stdioClient } from './clients.ts';
import { note, question } from './notes.ts';
import { makePlace, residentMib } from './place.ts';
import { placeStore, type Size, storeBytes } from './prepared-store.ts';

export interface WeightRow {
  readonly what: string;
  readonly mib: number;
}

export interface StoredBytes {
  readonly size: number;
  readonly disk_bytes: number;
  readonly index_bytes: number;
}

export interface Weight {
  readonly rows: WeightRow[];
  readonly bytes: StoredBytes[];
}

export async function measureWeight(sizes: readonly Size[], say: (text: string) => void): Promise<Weight> {
  const result: Weight = { rows: [], bytes: [] };
  await weighStdio(result.rows);
  for (const size of [undefined, ...sizes]) await weighHub(size, result, say);
  return result;
}

async function weighStdio(rows: WeightRow[]): Promise<void> {
  const place = makePlace();
  try {
    const direct = await stdioClient(place.env);
    rows.push({ what: 'stdio, direct: tools listed', mib: residentMib(direct.pid as number) });
    await direct.call('store_memory', { ...note(1), tags: [] });
    await direct.call('search_memories', { query: question(1) });
    rows.push({ what: 'stdio, direct: after a store and a search', mib: residentMib(direct.pid as number) });
    await direct.close();
    const hub = await place.startHub();
    const proxy = await stdioClient(place.env);
    for (let i = 0; i < 20; i++) await proxy.call('search_memories', { query: question(i) });
    rows.push({ what: 'stdio, by hub: after 20 searches', mib: residentMib(proxy.pid as number) });
    await proxy.close();
    await hub.stop();
  } finally {
    place.remove();
  }
}

async function weighHub(size: Size | undefined, result: Weight, say: (text: string) => void): Promise<void> {
  const place = makePlace();
  try {
    if (size) {
      await placeStore(place.data_dir, size, say);
      result.bytes.push({ size, disk_bytes: storeBytes(place.data_dir), index_bytes: Number.NaN });
    }
    const hub = await place.startHub();
    const named = size === undefined ? 'empty store' : `${size.toLocaleString('en')} memories`;
    if (!size) result.rows.push({ what: `hub, ${named}: idle`, mib: residentMib(hub.pid) });
    const client = await httpClient(hub.url);
    if (!size) await client.call('store_memory', { ...note(1), tags: [] });
    for (let i = 0; i < 20; i++) await client.call('search_memories', { query: question(i) });
    result.rows.push({ what: `hub, ${named}: model loaded, after 20 searches`, mib: residentMib(hub.pid) });
    const last = result.bytes.at(-1);
    if (last && size) result.bytes[result.bytes.length - 1] = { ...last, index_bytes: await indexBytes(hub.url) };
    await client.close();
    await hub.stop();
  } finally {
    place.remove();
  }
}

async function indexBytes(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^haivemind_vector_index_bytes (\S+)$/m.exec(text)?.[1]);
}
