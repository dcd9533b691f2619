// Servers written in JavaScript, one by its name: node servers.cjs NAME PORT SECURE CERT KEY.
// Each runs until it is ended; what a connection does wrong is its own affair.
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const path = require("node:path");
const tls = require("node:tls");
const { createRequire } = require("node:module");

const [wide, name, port, secure, certFile, keyFile] = process.argv.slice(2);
const library = createRequire(path.join(wide, "node", "package.json"));
const host = "127.0.0.1";
const pair = { cert: fs.readFileSync(certFile), key: fs.readFileSync(keyFile) };
const quiet = (server) => server.on("error", (error) => console.error(error.message));

const servers = {
  aedes() {
    const broker = new (library("aedes"))();
    net.createServer(broker.handle).listen(port, host);
    quiet(tls.createServer(pair, broker.handle)).listen(secure, host);
  },
  "ftp-srv"() {
    const { FtpSrv } = library("ftp-srv");
    new FtpSrv({ url: `ftp://${host}:${port}`, tls: pair, anonymous: true }).listen();
  },
  hoodiecrow() {
    library("hoodiecrow-imap")({ plugins: ["STARTTLS"], credentials: pair }).listen(port, host);
  },
  node() {
    const answer = (_, response) => response.end("here");
    http.createServer(answer).listen(port, host);
    library("node:https").createServer(pair, answer).listen(secure, host);
  },
  "smtp-server"() {
    const { SMTPServer } = library("smtp-server");
    const options = { ...pair, authOptional: true, disableReverseLookup: true };
    quiet(new SMTPServer(options)).listen(port, host);
    quiet(new SMTPServer({ ...options, secure: true })).listen(secure, host);
  },
  ws() {
    const { WebSocketServer } = library("ws");
    const echo = (socket) => socket.on("error", () => {}).on("message", (data) => socket.send(data));
    new WebSocketServer({ port, host }).on("connection", echo);
    const over = library("node:https").createServer(pair);
    new WebSocketServer({ server: over }).on("connection", echo);
    over.on("request", (_, response) => response.writeHead(426).end()).listen(secure, host);
  },
};
servers[name]();
