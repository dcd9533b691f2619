// A WebSocket server by the library ws: `node server.mjs PORT [certificate key]`.
//
// It greets with "hello", sends back each message after it, and takes the subprotocol `chat.v2`.
// What a message says is done: "close CODE REASON", "ping" (the client's answer is told), "binary",
// "large N" (a message of N bytes), "terminate". Paths: /login wants Basic user:pässword or Bearer
// open-sesame, /moved redirects, /full is at its limit, /origin wants Origin https://example.com.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { WebSocketServer } from "ws";

const [port, certificate, key] = process.argv.slice(2);
const server = certificate
  ? createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) })
  : createServer();
const sockets = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has("chat.v2") ? "chat.v2" : false),
});
const basic = `Basic ${Buffer.from("user:pässword").toString("base64")}`;

const REFUSALS = {
  "/login": (request) =>
    [basic, "Bearer open-sesame"].includes(request.headers.authorization)
      ? null
      : "401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\nwho are you?",
  "/origin": (request) =>
    request.headers.origin === "https://example.com" ? null : "403 Forbidden\r\n\r\n",
  "/moved": () => "302 Found\r\nLocation: wss://example.com/there?token=abc\r\n\r\n",
  "/full": () => "503 Service Unavailable\r\n\r\ntoo many connections",
};

server.on("request", (_, response) => response.end("a page"));
server.on("upgrade", (request, socket, head) => {
  const refusal = REFUSALS[request.url.split("?")[0]]?.(request);
  if (refusal) {
    socket.end(`HTTP/1.1 ${refusal}`);
    return;
  }
  sockets.handleUpgrade(request, socket, head, (client) => talk(client, request));
});

function talk(client, request) {
  client.on("error", () => {});
  client.on("pong", (data) => client.send(`pong ${data}`));
  client.on("message", (data, binary) => {
    const [word, ...rest] = binary ? [] : data.toString().split(" ");
    if (word === "close") {
      client.close(Number(rest[0]), rest.slice(1).join(" "));
    } else if (word === "ping") {
      client.ping("42");
    } else if (word === "binary") {
      client.send(Buffer.from("00ff10", "hex"));
    } else if (word === "large") {
      client.send("x".repeat(Number(rest[0])) + "!");
    } else if (word === "terminate") {
      client.terminate();
    } else if (word === "request") {
      client.send(JSON.stringify({ url: request.url, headers: request.headers }));
    } else {
      client.send(data, { binary });
    }
  });
  client.on("close", (code) => console.log(`closed ${code}`));
  client.send("hello");
}

server.listen(Number(port), "127.0.0.1");
