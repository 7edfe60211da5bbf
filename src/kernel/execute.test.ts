// The road to an operation: what is observed, what a cancelled call is, and waiting for calls in flight.
import { expect, test } from 'vitest';
import { tinyContext, tinyRuntime } from '../../test/support/tiny-runtime.ts';

test('a call that its caller gave up is cancelled, whatever the reason was', async () => {
  const { runtime, records } = tinyRuntime();
  for (const reason of [new Error('client went away'), 'plain text', new DOMException('late', 'TimeoutError')]) {
    const ctx = tinyContext({ signal: AbortSignal.abort(reason) });
    await expect(runtime.executor.execute('list_notes', {}, ctx)).rejects.toMatchObject({ code: 'cancelled' });
  }
  expect(records.map((record) => record.error_code)).toEqual(['cancelled', 'cancelled', 'cancelled']);
});

test('every call of an operation is observed once, with its code where it failed', async () => {
  const { runtime, records } = tinyRuntime();
  await runtime.executor.execute('store_note', { content: 'x' }, tinyContext());
  await runtime.executor.execute('get_note', { note_id: 'none' }, tinyContext()).catch(() => {});
  await runtime.executor.execute('store_note', { wrong: 1 }, tinyContext()).catch(() => {});
  await runtime.executor.execute('wait_for_gate', { gate: 'broken' }, tinyContext()).catch(() => {});
  expect(records.map((record) => [record.operation, record.error_code])).toEqual([
    ['store_note', undefined],
    ['get_note', 'not_found'],
    ['store_note', 'invalid_input'],
    ['wait_for_gate', 'internal'],
  ]);
});

test('a field that was left out is said to be required', async () => {
  const { runtime } = tinyRuntime();
  await expect(runtime.executor.execute('store_note', {}, tinyContext())).rejects.toMatchObject({
    code: 'invalid_input',
    message: 'store_note: content: is required',
  });
});

test('drained waits for calls in flight', async () => {
  const { runtime, openGate, waiting } = tinyRuntime();
  const call = runtime.executor.execute('wait_for_gate', { gate: 'slow' }, tinyContext());
  await waiting('slow');
  let drained = false;
  const draining = runtime.executor.drained().then(() => (drained = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(drained).toBe(false);
  openGate('slow');
  await Promise.all([call, draining]);
  expect(drained).toBe(true);
});
