// What every key ring promises, wherever it keeps its keys: run once for each adapter.
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { seal, unseal } from '../../src/kernel/sealing.ts';
import type { KeyRing } from '../../src/storage/keyring/port.ts';

export interface KeyRingCase {
  /** The same place again, as another process would open it. */
  open(): KeyRing;
  /** What a person and the product do together for a new key. Afterwards `open` gives the new current key. */
  rotate(): Promise<void>;
}

export function describeKeyRing(start: () => KeyRingCase): void {
  it('gives one key of 32 bytes, the same from each opening', async () => {
    const { open } = start();
    const ring = open();
    const first = await ring.current();
    expect(first.key).toHaveLength(32);
    expect(first.id).toMatch(/^[A-Za-z0-9_-]{12}$/);
    expect(await ring.current()).toEqual(first);
    expect(await open().current()).toEqual(first);
    expect(await open().find(first.id)).toEqual(first);
  });

  it('does not have a key nobody made', async () => {
    const { open } = start();
    expect(await open().find('nobody-s-key')).toBeUndefined();
    await open().current();
    expect(await open().find('nobody-s-key')).toBeUndefined();
  });

  it('keeps every earlier key when it rotates, in the process that did not rotate as well', async () => {
    const { open, rotate } = start();
    const other = open();
    const keys = [await other.current()];
    const text = randomBytes(20);
    const sealed = seal(keys[0]?.key ?? new Uint8Array(), text, ['suite']);
    for (let time = 0; time < 2; time += 1) {
      await rotate();
      keys.push(await open().current());
    }
    expect(new Set(keys.map((key) => key.id)).size).toBe(3);
    expect(new Set(keys.map((key) => Buffer.from(key.key).toString('hex'))).size).toBe(3);
    const ring = open();
    for (const key of keys) expect(await ring.find(key.id)).toEqual(key);
    expect(await ring.current()).toEqual(keys[2]);
    const first = await other.find(keys[0]?.id ?? '');
    expect(unseal(first?.key ?? new Uint8Array(), sealed, ['suite'])).toEqual(text);
  });

  it('never names a key in where it is', async () => {
    const { open } = start();
    const ring = open();
    const { key } = await ring.current();
    expectWithout(ring.place, key);
  });
}

/** The forms a key could leak in: what errors carry along as their cause counts as said. */
export function expectWithout(said: unknown, ...secrets: readonly (Uint8Array | string)[]): void {
  const text = everythingIn(said);
  for (const secret of secrets) {
    const bytes = Buffer.from(secret as Uint8Array);
    const forms = [bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), bytes.toString('hex')];
    for (const form of typeof secret === 'string' ? [...forms, secret] : forms) {
      expect(text).not.toContain(form);
      // A parser's error quotes a piece.
      expect(text).not.toContain(form.slice(0, 10));
    }
  }
}

function everythingIn(said: unknown): string {
  if (!(said instanceof Error)) return JSON.stringify(said);
  const own = Object.fromEntries(Object.getOwnPropertyNames(said).map((name) => [name, Reflect.get(said, name)]));
  return `${said.message} ${said.stack} ${JSON.stringify(own)} ${said.cause === undefined ? '' : everythingIn(said.cause)}`;
}
