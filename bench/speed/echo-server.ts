// The smallest MCP server the SDK can make, for the floor: `stdio`, or `http` (prints its address).
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

function makeServer(): Server {
  const server = new Server({ name: 'echo', version: '1.0.0' }, { capabilities: { tools: {} } });
  const text = { type: 'object' as const, properties: { text: { type: 'string' } }, required: ['text'] };
  server.setRequestHandler('tools/list', () => ({
    tools: [{ name: 'echo', description: 'Says it again.', inputSchema: text, outputSchema: text }],
  }));
  server.setRequestHandler('tools/call', (request) => {
    const said = String(request.params.arguments?.text ?? '');
    return { content: [{ type: 'text', text: said }], structuredContent: { text: said } };
  });
  return server;
}

if (process.argv[2] === 'http') {
  const handle = toNodeHandler(createMcpHandler(makeServer, { legacy: 'reject' }));
  const server = createServer(
    (request: IncomingMessage, response: ServerResponse) =>
      void handle(
        request as unknown as Parameters<typeof handle>[0],
        response as unknown as Parameters<typeof handle>[1],
      ),
  );
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
  });
} else {
  serveStdio(makeServer);
}
