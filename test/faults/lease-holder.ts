// A process that wants a lease of the store at argv[2], says its token when it has it, and keeps it until it is killed.
import { setTimeout as pause } from 'node:timers/promises';
import { openLeaseRoom } from '../support/coordination.ts';

const TTL_MS = 3_000;
const [url, name = ''] = process.argv.slice(2);
const room = await openLeaseRoom(url);
const member = room.member(name);
for (;;) {
  const lease = await member.acquire('work', TTL_MS);
  if (lease) {
    process.stdout.write(`${lease.token}\n`);
    while (await lease.renew()) await pause(TTL_MS / 10);
    process.stdout.write('lost\n');
  }
  await pause(TTL_MS / 20);
}
