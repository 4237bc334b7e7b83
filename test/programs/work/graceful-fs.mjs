/** graceful-fs: its clone and its patch in place, streams, more files at once than may be open, what it makes of errors. */
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import graceful from "graceful-fs";
import { bytesOf, makeTree } from "./make-tree.mjs";
import { digest, failureOf, treeOf } from "./report.mjs";

const { gracefulify } = graceful;

async function eventsOf(stream, then) {
  const events = [];
  for (const event of ["open", "ready", "data", "end", "finish", "error", "close"])
    stream.on(event, (value) =>
      events.push(event === "error" ? value.code : event === "data" ? `data ${value.length}` : event),
    );
  const closed = new Promise((resolve) => stream.on("close", resolve));
  then?.(stream);
  await closed;
  return events;
}

export default async function main({ fs, root, say }) {
  const at = (...names) => join(root, ...names);
  const untouched = { ...fs };
  const clone = gracefulify({ ...fs });
  say(Object.keys(untouched).every((name) => fs[name] === untouched[name]));
  say(
    Object.keys(clone)
      .filter((name) => clone[name] !== fs[name])
      .sort(),
  );
  makeTree(fs, at("tree"), { directories: 4 });

  for (const options of [
    {},
    { highWaterMark: 1000 },
    { start: 10, end: 5000, encoding: "latin1" },
    { emitClose: true, autoClose: true, flags: "r+" },
  ]) {
    say(options, await eventsOf(clone.createReadStream(at("tree", "large.bin"), options)));
    say(options, await eventsOf(new clone.ReadStream(at("tree", "missing"), options)));
  }
  for (const options of [{}, { flags: "a" }, { flags: "wx" }, { mode: 0o600 }, { start: 3, flags: "r+" }]) {
    const write = (stream) => stream.write("one", () => stream.end("two"));
    say(
      options,
      await eventsOf(clone.createWriteStream(at("written"), options), write),
      fs.readFileSync(at("written"), "utf8"),
    );
    say(options, await eventsOf(new clone.WriteStream(at("missing", "x"), options), write));
  }
  say(
    clone.createReadStream(at("written")) instanceof clone.ReadStream,
    clone.createReadStream(at("written")) instanceof clone.FileReadStream,
  );
  say(new clone.FileWriteStream(at("written-2")).end() instanceof clone.WriteStream);

  // More at once than may be open: all wait for their turn.
  const call = (name) => promisify(clone[name]);
  const several = (count, action) => Promise.all(Array.from({ length: count }, (_, i) => action(i)));
  fs.mkdirSync(at("many"));
  await several(400, (i) => call("writeFile")(at("many", `file-${i}`), bytesOf(i, 100 + i)));
  await several(400, (i) => call("appendFile")(at("many", `file-${i}`), String(i)));
  await several(400, (i) => call("copyFile")(at("many", `file-${i}`), at("many", `copy-${i}`)));
  const read = await several(800, (i) => call("readFile")(at("many", `${i % 2 ? "file" : "copy"}-${i >> 1}`)));
  const listed = await several(200, () => call("readdir")(at("many")));
  say(digest(Buffer.concat(read)), new Set(listed.map(String)).size, digest(treeOf(fs, at("many")).join("\n")));
  // Fewer than may be open: pipelines that have opened their sources only would wait for each other.
  for (let start = 0; start < 300; start += 30)
    await several(30, (i) =>
      pipeline(
        clone.createReadStream(at("many", `file-${start + i}`)),
        clone.createWriteStream(at("many", `piped-${start + i}`)),
      ),
    );
  const fds = await several(20, (i) => call("open")(at("many", `piped-${i}`), "r"));
  say(fds.every(Number.isInteger), await several(20, (i) => call("fstat")(fds[i]).then(({ size }) => size)));
  await several(20, (i) => call("close")(fds[i]));
  say(digest(treeOf(fs, at("many")).join("\n")));
  say(
    await several(3, async (i) =>
      (await call("readdir")(at("tree", `dir-${i}`), { withFileTypes: true })).map((one) => [
        one.name,
        one.isDirectory(),
      ]),
    ),
  );

  // It swallows what users may not do with owners, and mends the modes of links.
  fs.writeFileSync(at("own"), "");
  fs.symlinkSync("own", at("link"));
  say(await failureOf(() => call("chown")(at("own"), 1, 1)), await failureOf(() => clone.chownSync(at("own"), 1, 1)));
  say(await failureOf(() => call("lchown")(at("link"), 2, 2)), await failureOf(() => clone.fchownSync(99, 1, 1)));
  say(
    typeof clone.lchmod,
    await failureOf(() => clone.lchmodSync?.(at("link"), 0o600)),
    await failureOf(() => call("lutimes")(at("link"), 1e9, 1e9)),
  );
  say(treeOf(fs, root).filter((line) => / (own|link) /.test(line)));
  for (const name of ["stat", "lstat", "readFile", "readdir", "open", "unlink", "rmdir", "copyFile", "rename"]) {
    const args = /copyFile|rename/.test(name) ? [at("nope"), at("nope-2")] : [at("nope")];
    say(name, await failureOf(() => call(name)(...args)), await failureOf(() => clone[`${name}Sync`](...args)));
  }
  fs.mkdirSync(at("closed"), { mode: 0o000 });
  say(
    await failureOf(() => call("writeFile")(at("closed", "x"), "")),
    await failureOf(() => call("readdir")(at("closed"))),
  );
  say(clone.statSync(at("nope"), { throwIfNoEntry: false }) === undefined, clone.existsSync(at("own")));

  // In place: who has this object already gets it too.
  const patched = { ...fs };
  const open = patched.open;
  say(gracefulify(patched) === patched, patched.open === open);
  await several(400, (i) => promisify(patched.readFile)(at("many", `file-${i}`)));
}
