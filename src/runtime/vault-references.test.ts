// A setting that names a secret of a vault: the value is put in place, the reading is on record, and what fails says which.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type App, openApp, refusalOf } from '../../test/support/open-app.ts';
import { enginesOf, vaultReferences } from '../config/engines.ts';
import { configSchema } from '../config/schema.ts';
import { openFoundation } from './foundation.ts';
import { machineOwner } from './machine-owner.ts';

let app: App;
beforeEach(async () => {
  app = await openApp();
});
afterEach(() => app[Symbol.asyncDispose]());

const me = { user: machineOwner('test-machine').user_id };

function written(reference: string) {
  const { storage } = configSchema.parse({ storage: { chromadb: { url: 'http://127.0.0.1:1', token: reference } } });
  const engines = enginesOf(storage, {});
  return {
    ...app.config,
    engines: { ...app.config.engines, ...engines },
    vault_references: vaultReferences(storage, engines),
  };
}

it('is the newest value of the secret, read on record by the owner of the machine', async () => {
  const { vault_id } = await app.call('create_vault', { name: 'hub', vault_type: 'personal' }, me);
  for (const value of ['made-up-1', 'made-up-2'])
    await app.call('store_in_vault', { vault_id, key: 'chroma/token', value }, me);
  const base = await openFoundation(written('vault:hub/chroma/token'), { role: 'command', clock: app.clock });
  expect(base.engines.vectors).toMatchObject({ engine: 'chroma', token: 'made-up-2' });
  await base.coordination[Symbol.asyncDispose]();
  await base.store.close();
  const log = await app.call('vault_audit_log', { vault_id }, me);
  expect(JSON.stringify(log)).toContain('setting storage.chromadb.token');
});

it('is refused with the name of the setting where it cannot be had', async () => {
  const opening = openFoundation(written('vault:nowhere/token'), { role: 'command', clock: app.clock });
  expect(await refusalOf(opening)).toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('storage.chromadb.token: vault:nowhere/token: There is no vault'),
  });
});

it('cannot be what opens the store, and has to have both parts', () => {
  const parse = (storage: object) => () => enginesOf(configSchema.parse({ storage }).storage, {});
  expect(parse({ postgres: { url: 'postgres://h/d', password: 'vault:hub/pg' } })).toThrow(/in that database/);
  expect(parse({ chromadb: { url: 'http://127.0.0.1:1', token: 'vault:hub' } })).toThrow(/vault:<vault>/);
});
