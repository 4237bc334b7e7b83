/** express's send behind an http server, its fs replaced: whatever it can be asked for, over a connection. */
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { bytesOf } from "./make-tree.mjs";
import { digest } from "./report.mjs";

const require = createRequire(import.meta.url);
const LARGE = 3_000_000;
const HUGE = 2 ** 26;
const MTIME = "2024-02-03T04:05:06.789Z";

function makeSite(fs, root) {
  const files = {
    "index.html": "<h1>index</h1>",
    "page.html": "<p>page</p>",
    "name.txt": "0123456789",
    empty: "",
    "data.json": "{}",
    "ü €.txt": "its name",
    "percent%25.txt": "percent",
    ".hidden": "hidden",
    ".well/known.txt": "in a hidden folder",
    "folder/index.htm": "another index",
    "folder/deep.txt": "deep",
    "no-index/file.txt": "file",
    "both.html/index.html": "a folder by the name of a file",
    "node_modules/.bin/tool": "tool",
  };
  for (const [path, text] of Object.entries(files)) {
    fs.mkdirSync(join(root, path, ".."), { recursive: true });
    fs.writeFileSync(join(root, path), text);
  }
  fs.writeFileSync(join(root, "large.bin"), bytesOf(1, LARGE));
  fs.mkdirSync(join(root, "empty-folder"));
  fs.symlinkSync("name.txt", join(root, "link.txt"));
  fs.symlinkSync("folder", join(root, "linked"));
  fs.symlinkSync("nowhere", join(root, "dangling.txt"));
  fs.symlinkSync("circle.txt", join(root, "circle.txt"));
  for (const path of [...Object.keys(files), "large.bin"])
    fs.utimesSync(join(root, path), new Date(MTIME), new Date(MTIME));
}

/** Asks for a path as it stands: `fetch` would mend it. */
async function ask(port, path, { method = "GET", headers = {} } = {}) {
  const request = httpRequest({ port, path, method, headers, agent: false, timeout: 10_000 });
  request.on("timeout", () => request.destroy(new Error(`no answer to ${path}`))).end();
  const [response] = await once(request, "response");
  const chunks = [];
  let cut = "";
  try {
    for await (const chunk of response) chunks.push(chunk);
  } catch (error) {
    cut = error.code;
  }
  const { date, connection, ...rest } = response.headers;
  return { status: response.statusCode, headers: rest, body: Buffer.concat(chunks), cut };
}

export default async function main({ fs, root, say }) {
  const send = require("send");
  const site = join(root, "site");
  makeSite(fs, site);
  fs.writeFileSync(join(root, "secret.txt"), "not in the site");

  let options = {};
  const events = [];
  let onStream = () => undefined;
  const server = createServer((request, response) => {
    const answer = send(request, request.url.split("?")[0], { root: site, ...options });
    for (const name of ["file", "headers", "end", "stream"]) answer.on(name, () => events.push(name));
    answer.on("stream", (stream) => onStream(stream));
    answer.on("error", ({ status, code, syscall, message, path }) => {
      events.push({ status, code, syscall, message, path });
      response.statusCode = status;
      response.end(`error ${status}`);
    });
    if (options.listing)
      answer.on("directory", (response, path) => response.end(`list ${fs.readdirSync(path).sort()}`));
    answer.pipe(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();

  async function get(path, what = {}) {
    events.length = 0;
    const { status, headers, body, cut } = await ask(port, path, what);
    say(
      what.method ?? "GET",
      path,
      what.headers ?? "",
      "->",
      status,
      headers,
      body.length < 80 ? String(body) : `${body.length} ${digest(body)}`,
      cut,
      events,
    );
    return headers;
  }

  // Paths.
  const paths = [
    "/",
    "/index.html",
    "/name.txt",
    "/empty",
    "/data.json",
    "/%C3%BC%20%E2%82%AC.txt",
    "/percent%2525.txt",
    "/percent%25.txt",
    "/.hidden",
    "/.well/known.txt",
    "/folder",
    "/folder/",
    "/folder/deep.txt",
    "/no-index/",
    "/no-index",
    "/empty-folder/",
    "/both.html",
    "/both.html/",
    "/page",
    "/name.txt/",
    "/name.txt/deeper",
    "/nowhere",
    "/nowhere/",
    "/nowhere/deep.txt",
    "/link.txt",
    "/linked/deep.txt",
    "/linked",
    "/dangling.txt",
    "/circle.txt",
    "/circle.txt/x",
    "/../secret.txt",
    "/folder/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/%00",
    "/name.txt%00.html",
    "/%",
    "/%c3",
    `/${"n".repeat(255)}`,
    `/${"n".repeat(256)}`,
    `/${"deep/".repeat(900)}x`,
    "//folder//deep.txt",
    "/folder/./deep.txt",
    "/node_modules/.bin/tool",
    "/large.bin",
    "/?query",
  ];
  const ways = [
    {},
    { dotfiles: "allow", index: ["index.htm", "nowhere.html", "index.html"], extensions: ["txt", "html"] },
    { dotfiles: "deny", index: false, maxAge: "1d", immutable: true },
    { etag: false, lastModified: false, acceptRanges: false, cacheControl: false, listing: true },
  ];
  for (options of ways) {
    say("options", options);
    for (const path of paths) await get(path);
    await get("/name.txt", { method: "HEAD" });
    await get("/nowhere", { method: "HEAD" });
  }

  // Ranges, of a small file and of one of many reads.
  options = {};
  const ranges = [
    "bytes=0-0",
    "bytes=0-3",
    "bytes=3-",
    "bytes=-3",
    "bytes=9-",
    "bytes=10-",
    "bytes=0-100",
    "bytes=-100",
    "bytes=5-2",
    "bytes=-0",
    "bytes=0-1,3-4",
    "bytes=0-1,2-4",
    "bytes=x",
    "bytes=",
    "lines=0-1",
    "bytes=0-65535",
    "bytes=65535-65536",
    "bytes=65536-131072",
    "bytes=2999999-",
    "bytes=-1",
    "bytes=1000000-2999999",
  ];
  for (const range of ranges)
    for (const path of ["/name.txt", "/large.bin", "/empty"]) await get(path, { headers: { range } });
  options = { start: 2, end: 7 };
  for (const range of [undefined, "bytes=0-1", "bytes=4-", "bytes=6-"])
    await get("/name.txt", range && { headers: { range } });
  options = { start: 100 };
  await get("/name.txt");
  options = {};

  // Conditions.
  for (const path of ["/name.txt", "/large.bin", "/empty"]) {
    const { etag, "last-modified": modified } = await get(path);
    const conditions = [
      { "if-none-match": etag },
      { "if-none-match": '"other"' },
      { "if-none-match": "*" },
      { "if-none-match": `"x", ${etag}` },
      { "if-modified-since": modified },
      { "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT" },
      { "if-modified-since": "nonsense" },
      { "if-match": etag },
      { "if-match": '"other"' },
      { "if-match": "*" },
      { "if-unmodified-since": modified },
      { "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" },
      { "if-range": etag, range: "bytes=1-2" },
      { "if-range": '"other"', range: "bytes=1-2" },
      { "if-range": modified, range: "bytes=1-2" },
      { "if-none-match": etag, "cache-control": "no-cache" },
    ];
    for (const headers of conditions) await get(path, { headers });
  }
  // After a change no condition holds, and the length is the new one.
  const { etag } = await get("/name.txt");
  fs.writeFileSync(join(site, "name.txt"), "0123456789 and more");
  fs.utimesSync(join(site, "name.txt"), 1_800_000_000, 1_800_000_000.123);
  await get("/name.txt", { headers: { "if-none-match": etag } });

  // Many at once.
  const all = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      ask(port, i % 5 ? "/name.txt" : "/large.bin", { headers: { range: `bytes=${i}-${i * 997 + 10}` } }),
    ),
  );
  say(digest(JSON.stringify(all.map(({ status, headers, body }) => [status, headers, digest(body)]))));

  // A file that is cut while it is sent, one that is gone, one replaced, and a client that goes away.
  const large = join(site, "large.bin");
  const midway = async (title, act) => {
    fs.writeFileSync(large, bytesOf(1, LARGE));
    let nrChunks = 0;
    onStream = (stream) => stream.on("data", () => ++nrChunks === 2 && act());
    const { status, headers, body, cut } = await ask(port, "/large.bin");
    onStream = () => undefined;
    say(title, status, headers["content-length"], body.length === LARGE ? digest(body) : "short", cut);
  };
  await midway("gone", () => fs.unlinkSync(large));
  await midway("replaced", () => {
    fs.writeFileSync(`${large}.new`, "new");
    fs.renameSync(`${large}.new`, large);
  });
  // More than the sockets hold, so that not all of it is under way when the client goes.
  fs.writeFileSync(large, "");
  fs.truncateSync(large, HUGE);
  const destroyed = new Promise((resolve) => {
    onStream = (stream) =>
      stream.on("close", () =>
        resolve([stream.destroyed, stream.errored?.code ?? "no error", stream.bytesRead < HUGE]),
      );
  });
  const leaving = httpRequest({ port, path: "/large.bin", agent: false }).end();
  const [response] = await once(leaving, "response");
  await once(response, "data");
  leaving.destroy();
  say("left", await destroyed);
  onStream = () => undefined;

  // The file cannot be opened any more when its stream is.
  for (const path of ["/name.txt", "/folder/deep.txt"]) {
    onStream = () => undefined;
    const full = join(site, path);
    const emit = server.listeners("request")[0];
    server.removeAllListeners("request");
    server.once("request", (request, response) => {
      const answer = send(request, path, { root: site });
      answer.on("file", () => fs.unlinkSync(full));
      answer.on("error", ({ status, code, syscall, message }) => {
        say("unlinked", { status, code, syscall, message });
        response.destroy();
      });
      answer.pipe(response);
    });
    await ask(port, path).catch(({ code }) => say(path, code));
    server.on("request", emit);
  }
  server.close();
}
