// The key ring under a passphrase: master keys are random and lie in a file that only the passphrase opens, so another
// passphrase keeps every key. The passphrase comes from a variable and is asked of nobody.
import { failure } from '../../kernel/errors.ts';
import { ARGON2_RECOMMENDED, type Argon2Settings } from './argon2.ts';
import { currentOf, type KeyList } from './key-list.ts';
import { makeMasterKey } from './master-key.ts';
import { lockWith, unlockWith } from './passphrase-file.ts';
import type { KeyRing } from './port.ts';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from './private-file.ts';

export interface PassphrasePlace {
  readonly path: string;
  /** Variable with the passphrase; `<name>_NEW` holds the next one for `rotate`. */
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of files written from now on; default: what the RFC recommends. */
  readonly cost?: Argon2Settings;
}

const PASSPHRASE_MIN_CHARS = 12;

export function passphraseKeyRing(place: PassphrasePlace): KeyRing {
  const { path, name, cost = ARGON2_RECOMMENDED } = place;
  const inTurn = oneAfterTheOther();
  // Deriving is slow by intent: done once, and again only where the file became another one.
  let opened: Opened | undefined;
  const open = async (): Promise<Opened | undefined> => {
    const passphrase = passphraseIn(place, name);
    const text = readPrivateFile(path);
    if (text === undefined) return undefined;
    if (opened?.text !== text) opened = { text, ...(await unlock(place, passphrase, text)) };
    return opened;
  };
  const openOrMake = async (): Promise<Opened> => {
    const found = await open();
    if (found) return found;
    const keys: KeyList = [makeMasterKey()];
    const passphrase = longEnough(passphraseIn(place, name), name);
    const text = await lockWith(passphrase, keys, cost);
    createPrivateFile(path, text);
    // Taken for ours only if it is: another process may have been first.
    opened = { text, passphrase, keys };
    return (await open()) ?? vanished(path);
  };
  return {
    place: `passphrase of the variable ${name}, ${path}`,
    current: () => inTurn(async () => currentOf((await openOrMake()).keys)),
    find: (id) =>
      inTurn(async () => {
        const known = opened?.keys.find((key) => key.id === id);
        return known ?? (await open())?.keys.find((key) => key.id === id);
      }),
    rotate: () =>
      inTurn(async () => {
        const before = await openOrMake();
        const passphrase = nextPassphrase(place, before.passphrase);
        const next = makeMasterKey();
        const keys: KeyList = [...before.keys, next];
        const text = await lockWith(passphrase, keys, cost);
        replacePrivateFile(path, (now) => (now === before.text ? text : changedMeanwhile(path)));
        opened = { text, passphrase, keys };
        return next;
      }),
  };
}

interface Opened {
  /** Of the file these keys are from. */
  readonly text: string;
  readonly passphrase: string;
  readonly keys: KeyList;
}

/** After a rotation the new passphrase is in the second variable until somebody moves it: both are tried. */
async function unlock(place: PassphrasePlace, passphrase: string, text: string): Promise<Omit<Opened, 'text'>> {
  const next = place.env[nextName(place)];
  for (const candidate of next ? [passphrase, next] : [passphrase]) {
    const keys = await unlockWith(candidate, text, place.path);
    if (keys) return { passphrase: candidate, keys };
  }
  throw failure(
    'config_invalid',
    `The variable ${place.name} is not the passphrase of ${place.path}, or that file was damaged.`,
    'Set it to the passphrase the file was last locked with, and start again.',
  );
}

function passphraseIn({ env }: PassphrasePlace, name: string): string {
  const passphrase = env[name];
  if (passphrase) return passphrase;
  throw failure(
    'config_invalid',
    `The variable ${name} with the passphrase of the key ring is not set.`,
    'Set it where haivemind is started, or choose another security.keyring.source.',
  );
}

function nextPassphrase(place: PassphrasePlace, present: string): string {
  const name = nextName(place);
  const next = place.env[name];
  if (next && next !== present) return longEnough(next, name);
  throw failure(
    'invalid_input',
    next ? `The variable ${name} holds the passphrase in use.` : 'A new key needs a new passphrase.',
    `Set ${name} to a new passphrase and rotate again; afterwards move it to ${place.name} and start again.`,
  );
}

function nextName({ name }: PassphrasePlace): string {
  return `${name}_NEW`;
}

/** Asked of new passphrases only: a file that is there opens with what it was locked with. */
function longEnough(passphrase: string, name: string): string {
  if (passphrase.normalize('NFC').length >= PASSPHRASE_MIN_CHARS) return passphrase;
  throw failure(
    'config_invalid',
    `The passphrase in the variable ${name} is shorter than ${PASSPHRASE_MIN_CHARS} characters.`,
    'Use a longer one, for example five random words.',
  );
}

function changedMeanwhile(path: string): never {
  throw failure('conflict', `${path} was changed by another process meanwhile.`, 'Look at its key, then rotate again.');
}

function vanished(path: string): never {
  throw failure('unavailable', `${path} was removed while it was used.`, 'Put it back, or try again.');
}

/** So that two calls at once derive once, and none sees a rotation half done. */
function oneAfterTheOther(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work, work);
    last = result;
    return result;
  };
}
