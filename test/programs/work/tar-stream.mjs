/** tar-stream: packs a tree read by streams, and unpacks it to files, links and directories; cut archives. */
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import tarStream from "tar-stream";
import { makeTree } from "./make-tree.mjs";
import { digest, failureOf, treeOf } from "./report.mjs";

const TYPES = { isDirectory: "directory", isSymbolicLink: "symlink", isFile: "file" };

async function pack(fs, tree, highWaterMark) {
  const out = tarStream.pack();
  const inodes = new Map();
  const visit = async (name) => {
    const path = join(tree, name);
    const stat = await fs.promises.lstat(path);
    const first = stat.isFile() && stat.nlink > 1 ? inodes.get(stat.ino) : undefined;
    inodes.set(stat.ino, name);
    const type = first ? "link" : Object.entries(TYPES).find(([is]) => stat[is]())[1];
    const linkname = type === "symlink" ? await fs.promises.readlink(path) : first;
    const mtime = type === "symlink" ? new Date(0) : stat.mtime;
    const header = {
      name,
      type,
      linkname,
      mode: stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      mtime,
      size: type === "file" ? stat.size : 0,
    };
    if (type === "file") await pipeline(fs.createReadStream(path, { highWaterMark }), out.entry(header));
    else await new Promise((resolve, reject) => out.entry(header, (error) => (error ? reject(error) : resolve())));
    if (type === "directory") for (const child of await fs.promises.readdir(path)) await visit(join(name, child));
  };
  const packed = (async () => {
    for (const name of await fs.promises.readdir(tree)) await visit(name);
    out.finalize();
  })();
  return { out, packed };
}

/** Directories get their mode and time last. */
async function unpack(fs, source, target) {
  const extract = tarStream.extract();
  const directories = [];
  const events = [];
  source.on("error", (error) => extract.destroy(error)).pipe(extract);
  for await (const entry of extract) {
    const { name, type, linkname, mode, mtime } = entry.header;
    const path = join(target, name);
    await fs.promises.mkdir(dirname(path), { recursive: true });
    if (type === "directory") {
      await fs.promises.mkdir(path, { recursive: true });
      directories.unshift([path, mode, mtime]);
    } else if (type === "symlink") await fs.promises.symlink(linkname, path);
    else if (type === "link") await fs.promises.link(join(target, linkname), path);
    else {
      const out = fs.createWriteStream(path, { mode });
      for (const event of ["open", "ready", "finish", "close"]) out.on(event, () => events.push(event));
      await pipeline(entry, out);
      if (events.splice(0).join() !== "open,ready,finish,close") throw new Error("events out of order");
      await fs.promises.utimes(path, mtime, mtime);
    }
    entry.resume();
  }
  for (const [path, mode, mtime] of directories) {
    await fs.promises.chmod(path, mode);
    await fs.promises.utimes(path, mtime, mtime);
  }
}

export default async function main({ fs, root, say }) {
  const at = (...names) => join(root, ...names);
  makeTree(fs, at("tree"), { directories: 5 });
  for (const [i, highWaterMark] of [65536, 100, 4096].entries()) {
    const { out, packed } = await pack(fs, at("tree"), highWaterMark);
    const steps = highWaterMark === 4096 ? [createGzip()] : [];
    await Promise.all([pipeline(out, ...steps, fs.createWriteStream(at(`${i}.tar`))), packed]);
    say(highWaterMark, fs.statSync(at(`${i}.tar`)).size, digest(fs.readFileSync(at(`${i}.tar`))));
    const source = fs.createReadStream(at(`${i}.tar`), { highWaterMark: highWaterMark * 3 });
    await unpack(fs, steps.length ? source.pipe(createGunzip()) : source, at(`out-${i}`));
    say(treeOf(fs, at(`out-${i}`)).join("\n"));
  }
  fs.truncateSync(at("0.tar"), 70_000);
  const names = [];
  const cut = tarStream.extract();
  cut.on("entry", ({ name }, entry, next) => {
    names.push(name);
    entry
      .on("error", () => {})
      .on("end", next)
      .resume();
  });
  say(await failureOf(() => pipeline(fs.createReadStream(at("0.tar")), cut)), names);
  say(await failureOf(() => unpack(fs, fs.createReadStream(at("1.tar"), { start: 512 }), at("shifted"))));
  say(await failureOf(() => unpack(fs, fs.createReadStream(at("nothing.tar")), at("none"))));
  say(await failureOf(() => unpack(fs, fs.createReadStream(at("tree")), at("none"))));
  fs.mkdirSync(at("closed"), { mode: 0o555 });
  say(await failureOf(() => unpack(fs, fs.createReadStream(at("1.tar")), at("closed"))));
}
