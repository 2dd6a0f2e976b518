// JSON-RPC over HTTP and WebSocket, on the loopback interface only.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { Faults } from './faults.js';
import { RpcError, stringify } from './json.js';
import { allMethods } from './methods/index.js';
import { Subscriptions } from './subscriptions.js';

const BODY_BYTES_MAX = 512 * 1024;
const BATCH_MAX = 100;
const HOST = '127.0.0.1';

export class Server {
  #chain;
  #faults = new Faults();
  #methods;
  #servers = [];

  constructor(chain) {
    this.#chain = chain;
    this.#methods = allMethods(chain, this.#faults);
  }

  /** Listens on `port` (HTTP and WebSocket) and on `port + 1` (WebSocket, where web3.js looks for it). */
  async listen(port) {
    for (let attempt = 0; ; attempt++) {
      try {
        const rpc = await this.#listenOn(port);
        try {
          await this.#listenOn(rpc.address().port + 1);
        } catch (error) {
          await closeServer(this.#servers.pop());
          throw error;
        }
        return rpc.address().port;
      } catch (error) {
        if (port !== 0 || attempt >= 50 || (error.code !== 'EADDRINUSE' && error.code !== 'ERR_SOCKET_BAD_PORT'))
          throw error;
      }
    }
  }

  async close() {
    await Promise.all(this.#servers.map(closeServer));
  }

  async #listenOn(port) {
    const server = createServer((request, response) => this.#http(request, response));
    const sockets = new WebSocketServer({ server, maxPayload: BODY_BYTES_MAX });
    sockets.on('connection', (socket) => this.#webSocket(socket));
    sockets.on('error', () => {});
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, HOST, resolve);
    });
    server.sockets = sockets;
    this.#servers.push(server);
    return server;
  }

  async #http(request, response) {
    const answer = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    };
    if (request.method === 'GET' && request.url === '/health') return answer(200, '"ok"');
    if (request.method !== 'POST') return answer(405, '{"error":"POST JSON-RPC requests"}');
    // A page in a browser cannot send this type to another origin without asking, and asking is not answered.
    if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
      return answer(415, '{"error":"Content-Type must be application/json"}');
    const body = await readBody(request);
    if (body === null) return answer(413, '{"error":"request too large"}');
    const { status, text } = await this.#respond(body, (method, params) => this.#call(method, params));
    return answer(status, text);
  }

  #webSocket(socket) {
    const subscriptions = new Subscriptions(this.#chain, socket);
    socket.on('error', () => {});
    socket.on('close', () => subscriptions.close());
    socket.on('message', async (data) => {
      const { text } = await this.#respond(data.toString(), (method, params) =>
        subscriptions.call(method, params) ?? this.#call(method, params));
      if (text) socket.send(text);
    });
  }

  async #respond(body, call) {
    let request;
    try {
      request = JSON.parse(body);
    } catch {
      return { status: 200, text: stringify(failure(null, new RpcError(-32700, 'Parse error'))) };
    }
    if (!Array.isArray(request)) {
      const { status = 200, ...answer } = await this.#one(request, call) ?? {};
      return { status, text: answer.jsonrpc ? stringify(answer) : '' };
    }
    if (request.length === 0 || request.length > BATCH_MAX)
      return { status: 200, text: stringify(failure(null, new RpcError(-32600, `batches hold 1 to ${BATCH_MAX} calls`))) };
    const answers = [];
    for (const single of request) {
      const { status: _, ...answer } = await this.#one(single, call) ?? {};
      if (answer.jsonrpc) answers.push(answer);
    }
    return { status: 200, text: stringify(answers) };
  }

  async #one(request, call) {
    const id = request?.id;
    try {
      if (typeof request?.method !== 'string') throw new RpcError(-32600, 'Invalid request');
      const result = await call(request.method, request.params ?? []);
      return id === undefined ? null : { jsonrpc: '2.0', result, id };
    } catch (error) {
      return id === undefined ? null : { ...failure(id, error), status: error.status };
    }
  }

  async #call(method, params) {
    const handler = Object.hasOwn(this.#methods, method) ? this.#methods[method] : undefined;
    if (!handler) throw new RpcError(-32601, 'Method not found');
    if (!Array.isArray(params)) throw new RpcError(-32602, 'Invalid params: a list is expected');
    if (!method.startsWith('devstack')) await this.#carryOutFaults(method);
    return handler(params);
  }

  async #carryOutFaults(method) {
    const delay = this.#faults.take(method, 'delay');
    if (delay) await new Promise((resolve) => { setTimeout(resolve, delay.ms ?? 1000); });
    const error = this.#faults.take(method, 'error');
    if (error)
      throw Object.assign(
        new RpcError(error.code ?? -32005, error.message ?? 'Node is unhealthy', error.data), { status: error.status });
  }
}

function failure(id, error) {
  if (!(error instanceof RpcError)) console.error(error);
  return {
    jsonrpc: '2.0', id: id ?? null,
    error: error instanceof RpcError
      ? { code: error.code, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) }
      : { code: -32603, message: 'Internal error' },
  };
}

async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function closeServer(server) {
  for (const socket of server.sockets.clients) socket.terminate();
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
}
