/** Tunnelling proxies on loopback, like those of a company network; every host name resolves to 127.0.0.1. */
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export interface TunnelProxy {
  port: number;
  /** The requested destinations, in order. */
  connectedTo: string[];
  /** Returns all bytes sent to the destinations. */
  sent: () => Buffer;
  /** The status of every response to CONNECT from now on; 200 connects. */
  status: number;
  /** `user:password`, or null for a proxy without login. */
  login: string | null;
  close(): void;
}

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
};

/** Starts a proxy that handles CONNECT. */
export async function startConnectProxy(): Promise<TunnelProxy> {
  const sockets = new Set<Socket>();
  const sent: Buffer[] = [];
  const server = createHttpServer();
  server.on("connect", (request, socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    proxy.connectedTo.push(request.url ?? "");
    const basic = `Basic ${Buffer.from(proxy.login ?? "").toString("base64")}`;
    const status = proxy.login !== null && request.headers["proxy-authorization"] !== basic ? 407 : proxy.status;
    socket.write(`HTTP/1.1 ${status} .\r\nContent-Length: 0\r\n\r\n`);
    if (status === 200) tunnel(socket, Number(request.url?.split(":").pop()), sockets, sent);
    else socket.end();
  });
  const port = await listening(server);
  const proxy: TunnelProxy = {
    port,
    connectedTo: [],
    sent: () => Buffer.concat(sent),
    status: 200,
    login: null,
    close: () => end(server, sockets),
  };
  return proxy;
}

/** Starts a SOCKS5 proxy that resolves names and requires no login. */
export async function startSocksProxy(): Promise<Pick<TunnelProxy, "port" | "connectedTo" | "sent" | "close">> {
  const sockets = new Set<Socket>();
  const connectedTo: string[] = [];
  const sent: Buffer[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(Buffer.from([5, 0]));
      socket.once("data", (request) => {
        const length = request[4] ?? 0;
        const [host, port] = [request.toString("latin1", 5, 5 + length), request.readUInt16BE(5 + length)];
        connectedTo.push(`${host}:${port}`);
        socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
        tunnel(socket, port, sockets, sent);
      });
    });
  });
  return {
    port: await listening(server),
    connectedTo,
    sent: () => Buffer.concat(sent),
    close: () => end(server, sockets),
  };
}

function tunnel(socket: Socket, port: number, sockets: Set<Socket>, sent: Buffer[]): void {
  const far = connect(port, "127.0.0.1");
  sockets.add(far);
  far.on("error", () => socket.destroy()).on("close", () => socket.destroy());
  socket.on("close", () => far.destroy());
  socket.on("data", (bytes) => sent.push(bytes));
  socket.pipe(far).pipe(socket);
}

function end(server: Server, sockets: Set<Socket>): void {
  server.close();
  for (const socket of sockets) socket.destroy();
}
