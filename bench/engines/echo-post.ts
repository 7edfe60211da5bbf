// The smallest server of the kind the hub is, for the floor: one fastify, one POST that answers with what it got.
import fastify from 'fastify';

const app = fastify();
app.post('/', async (request) => request.body);
process.stdout.write(`${await app.listen({ port: 0, host: '127.0.0.1' })}\n`);
