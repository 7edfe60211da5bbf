// Serves PGlite with the vector extension on a loopback port until it is told to end.
// Arguments: the node_modules it is installed in, a data directory, a port, and how many connections at once.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules = '', directory = '', port = '', connections = ''] = process.argv.slice(2);
const { PGlite } = await load('pglite');
const { PGLiteSocketServer } = await load('pglite-socket');
const { vector } = await load('pglite-pgvector');

const db = await PGlite.create(directory, { extensions: { vector } });
const server = new PGLiteSocketServer({
  db,
  host: '127.0.0.1',
  port: Number(port),
  maxConnections: Number(connections),
});
await server.start();
process.once('SIGTERM', async () => {
  await server.stop();
  await db.close();
  process.exit(0);
});
process.stdout.write('ready\n');

function load(name) {
  return import(pathToFileURL(join(modules, '@electric-sql', name, 'dist', 'index.js')).href);
}
