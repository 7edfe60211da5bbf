// `haivemind vault export` and `import`: a whole vault as one file encrypted with age (https://age-encryption.org/v1), for
// moving it to another hub or keeping it apart. Every value that leaves is retrieved, so it stands in the audit log.
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Decrypter, Encrypter } from 'age-encryption';
import { z } from 'zod';
import { failure, HaivemindError } from '../../../kernel/errors.ts';
import type { OperationClient } from '../client.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions } from '../globals.ts';
import { openClient } from '../open-client.ts';
import { toJsonText } from '../render.ts';
import { findVault, PASSPHRASE_VARIABLE, type SecretEntry, secretsOf, type VaultEntry, vaultsOf } from './vault.ts';
import { writeWhole } from './write-whole.ts';

const versionSchema = z.strictObject({
  value: z.string(),
  metadata: z.record(z.string(), z.json()),
});
const fileSchema = z.strictObject({
  format: z.literal('haivemind-vault'),
  format_version: z.literal(1),
  name: z.string(),
  description: z.string(),
  secrets: z.array(
    z.strictObject({
      key: z.string(),
      expires_at: z.string().nullable(),
      rotation_interval_days: z.number().nullable(),
      /** Oldest first. */
      versions: z.array(versionSchema).min(1),
    }),
  ),
});

type VaultFile = z.output<typeof fileSchema>;
type VaultVersion = z.output<typeof versionSchema>;

interface KeyFlags extends GlobalOptions {
  readonly passphraseFile?: string;
}

interface ExportFlags extends KeyFlags {
  readonly output: string;
  readonly recipient?: readonly string[];
  readonly reason?: string;
}

interface ImportFlags extends KeyFlags {
  readonly identity?: string;
  readonly into?: string;
}

export async function runVaultExport(words: readonly string[], flags: ExportFlags, ctx: CliContext): Promise<number> {
  const path = resolve(ctx.io.cwd, flags.output);
  await refuseExisting(path);
  const encrypter = await encrypterFor(flags, ctx);
  const client = await openClient(ctx, configFor(ctx, flags));
  try {
    const vault = await findVault(client, words[0] ?? '', ctx.io.signal);
    const audit_reason = flags.reason ?? 'vault export';
    const content = await contentOf(client, vault, audit_reason, ctx.io.signal);
    const sealed = await encrypter.encrypt(JSON.stringify(content));
    await writeWhole(path, [sealed]);
    const report = { path, secrets: content.secrets.length };
    ctx.io.stdout.write(flags.json ? `${toJsonText(report)}\n` : `${path}: ${report.secrets} secrets\n`);
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

/** Asked before anything is retrieved: that would stand in the audit log for nothing. */
async function refuseExisting(path: string): Promise<void> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists)
    throw failure('conflict', `${path} exists.`, 'Choose a new name: a vault is never written over another file.');
}

async function contentOf(
  client: OperationClient,
  vault: { readonly vault_id: string; readonly name: string; readonly description?: string },
  audit_reason: string,
  signal: AbortSignal,
): Promise<VaultFile> {
  const secrets: VaultFile['secrets'] = [];
  for await (const { key, version, expires_at, rotation_interval_days } of secretsOf(client, vault.vault_id, signal)) {
    const versions: VaultVersion[] = [];
    for (let number = 1; number <= version; number++) {
      const found = await versionOf(client, { vault_id: vault.vault_id, key, version: number, audit_reason }, signal);
      if (found) versions.push(found);
    }
    if (versions.length > 0) secrets.push({ key, expires_at, rotation_interval_days, versions });
  }
  return {
    format: 'haivemind-vault',
    format_version: 1,
    name: vault.name,
    description: vault.description ?? '',
    secrets,
  };
}

/** Undefined for a version that was destroyed, or a secret that has expired. */
async function versionOf(
  client: OperationClient,
  input: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<VaultVersion | undefined> {
  try {
    const { value, metadata } = await client.call('retrieve_from_vault', input, { signal });
    return { value: value as string, metadata: metadata as VaultVersion['metadata'] };
  } catch (error) {
    if (error instanceof HaivemindError && (error.code === 'not_found' || error.code === 'conflict')) return undefined;
    throw error;
  }
}

export async function runVaultImport(words: readonly string[], flags: ImportFlags, ctx: CliContext): Promise<number> {
  const content = await openFile(resolve(ctx.io.cwd, words[0] ?? ''), flags, ctx);
  const { signal } = ctx.io;
  const client = await openClient(ctx, configFor(ctx, flags));
  try {
    const vault_id = await targetOf(client, content, flags.into, signal);
    const present = new Map<string, SecretEntry>();
    for await (const secret of secretsOf(client, vault_id, signal)) present.set(secret.key, secret);
    let stored = 0;
    for (const secret of content.secrets) stored += await importSecret(client, vault_id, secret, present, signal);
    const report = { vault_id, secrets: content.secrets.length, stored_versions: stored };
    ctx.io.stdout.write(
      flags.json ? `${toJsonText(report)}\n` : `${vault_id}: ${report.secrets} secrets, ${stored} versions stored\n`,
    );
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

async function targetOf(
  client: OperationClient,
  content: VaultFile,
  into: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (into !== undefined) return (await findVault(client, into, signal)).vault_id;
  const { name, description } = content;
  const own = await ownVaults(client, name, signal);
  const [known, other] = own;
  if (known && !other) return known.vault_id;
  const made = await client.call('create_vault', { name, description, vault_type: 'personal' }, { signal });
  return made.vault_id as string;
}

/** The caller's own personal vaults of this name; what others share under the same name is none of them. */
async function ownVaults(client: OperationClient, name: string, signal: AbortSignal): Promise<readonly VaultEntry[]> {
  const vaults = await vaultsOf(client, signal);
  const named = vaults.filter((vault) => vault.name === name && vault.vault_type === 'personal');
  if (named.length === 0) return [];
  const { user_id } = await client.call('get_machine_context', {}, { signal });
  return named.filter(({ owner }) => owner === user_id);
}

/** Importing again adds nothing: a secret whose newest value is there already is passed over. */
async function importSecret(
  client: OperationClient,
  vault_id: string,
  secret: VaultFile['secrets'][number],
  present: ReadonlyMap<string, SecretEntry>,
  signal: AbortSignal,
): Promise<number> {
  const { key, expires_at, rotation_interval_days } = secret;
  const newest = secret.versions.at(-1);
  if (present.has(key)) {
    const known = await versionOf(
      client,
      { vault_id, key, audit_reason: 'vault import: is it there already?' },
      signal,
    );
    if (known && known.value === newest?.value) return 0;
  }
  for (const { value, metadata } of secret.versions) {
    const input = {
      vault_id,
      key,
      value,
      metadata,
      ...(expires_at === null ? {} : { expires_at }),
      ...(rotation_interval_days === null ? {} : { rotation_interval_days }),
    };
    await client.call('store_in_vault', input, { signal });
  }
  return secret.versions.length;
}

async function encrypterFor(flags: ExportFlags, ctx: CliContext): Promise<Encrypter> {
  const encrypter = new Encrypter();
  if (flags.recipient && flags.recipient.length > 0) {
    for (const recipient of flags.recipient) addRecipient(encrypter, recipient);
    return encrypter;
  }
  encrypter.setPassphrase(await passphraseOf(flags, ctx, '--recipient age1...'));
  return encrypter;
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw failure('invalid_input', `${JSON.stringify(recipient)} is no age recipient.`, 'It begins with age1.', {
      cause,
    });
  }
}

async function passphraseOf(flags: KeyFlags, ctx: CliContext, otherwise: string): Promise<string> {
  const { passphraseFile } = flags;
  const passphrase =
    passphraseFile === undefined
      ? ctx.io.env[PASSPHRASE_VARIABLE]
      : (await readText(resolve(ctx.io.cwd, passphraseFile))).replace(/\r?\n$/, '');
  if (passphrase) return passphrase;
  throw failure(
    'invalid_input',
    'There is no key for the file.',
    `Give ${otherwise}, --passphrase-file, or set ${PASSPHRASE_VARIABLE}.`,
  );
}

async function openFile(path: string, flags: ImportFlags, ctx: CliContext): Promise<VaultFile> {
  const sealed = await readBytes(path);
  const decrypter = new Decrypter();
  if (flags.identity === undefined) decrypter.addPassphrase(await passphraseOf(flags, ctx, '--identity file'));
  else addIdentities(decrypter, await readText(resolve(ctx.io.cwd, flags.identity)));
  let text: string;
  try {
    text = await decrypter.decrypt(sealed, 'text');
  } catch (cause) {
    throw failure(
      'invalid_input',
      `${path} does not open: it is no age file, was changed, or is for another key.`,
      'Use the identity or passphrase it was exported for.',
      { cause },
    );
  }
  const parsed = fileSchema.safeParse(jsonIn(text));
  if (parsed.success) return parsed.data;
  throw failure('invalid_input', `${path} holds no vault.`, 'Use a file made by `haivemind vault export`.');
}

function addIdentities(decrypter: Decrypter, text: string): void {
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith('AGE-SECRET-KEY-'));
  if (lines.length === 0)
    throw failure('invalid_input', 'The identity file has no age identity in it.', 'Make one with age-keygen.');
  for (const line of lines) decrypter.addIdentity(line.trim());
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw failure('invalid_input', `${path} cannot be read.`, 'Check the path and its permissions.', { cause });
  }
}

async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}
