/** fs-extra: copy, move, ensure*, empty, remove, output, JSON; both forms; options, links, errors; many at once. */
import { basename, join } from "node:path";
import fse from "fs-extra";
import { bytesOf, makeTree, NAMES } from "./make-tree.mjs";
import { digest, failureOf, treeOf } from "./report.mjs";

export default async function main({ fs, root, say }) {
  const at = (...names) => join(root, ...names);
  const tree = (path) => (fs.existsSync(at(path)) ? treeOf(fs, at(path)).join("\n") : `no ${path}`);
  /** Calls both forms of a function: each on a directory of its own, `sync` or `async`. */
  const forms = async (name, action, told = (failure) => failure) => {
    for (const [way, suffix] of [
      ["sync", "Sync"],
      ["async", ""],
    ]) {
      fs.mkdirSync(at(way), { recursive: true });
      say(name, way, told(await failureOf(() => action(fse[`${name}${suffix}`], (...names) => at(way, ...names)))));
    }
  };
  makeTree(fs, at("tree"), { directories: 6 });
  fs.chmodSync(at("tree", "dir-2"), 0o555);

  await forms("copy", (copy, to) => copy(at("tree"), to("copy"), { preserveTimestamps: true }));
  say(tree("sync/copy"), tree("async/copy"));
  const seen = new Set();
  const filter = (from, to) =>
    !/level-1|\.js$/.test(from) && seen.add(`${basename(from)} ${basename(to)}`) !== undefined;
  await forms("copy", (copy, to) => copy(at("tree"), to("filtered"), { filter }));
  say(digest([...seen].sort().join()), tree("sync/filtered"));
  say(tree("sync/filtered") === tree("async/filtered"));
  await forms("copy", (copy, to) => copy(at("tree", "dir-0"), to("new", "parents", "dir")));
  await forms("copy", (copy, to) =>
    copy(at("tree"), to("followed"), { dereference: true, filter: (path) => !/dangling|link-to/.test(path) }),
  );
  say(tree("async/followed"));
  fs.writeFileSync(at("tree", "dir-0", "plain.txt"), "changed");
  await forms("copy", (copy, to) => copy(at("tree", "dir-0"), to("copy", "dir-0"), { overwrite: false }));
  await forms("copy", (copy, to) => copy(at("tree", "dir-0"), to("copy", "dir-0")));
  say(tree("sync/copy/dir-0"), tree("async/copy/dir-0"));
  // On a tree of its own: the asynchronous one has more under way when it fails.
  await forms("copy", (copy, to) => copy(at("tree", "dir-0"), to("twice"), { filter: (path) => !/\bl/.test(path) }));
  const again = { overwrite: false, errorOnExist: true, filter: (path) => !/\bl/.test(path) };
  await forms(
    "copy",
    (copy, to) => copy(at("tree", "dir-0"), to("twice"), again),
    ({ message }) => message.replace(/'.*'/, "a file"),
  );
  const wrong = [
    ["missing", "x"],
    ["tree", "tree/dir-0/inside"],
    ["tree", "tree"],
    ["tree/large.bin", "tree/dir-0"],
    ["tree/dir-0", "tree/large.bin"],
    ["tree/dir-0/link", "tree/dir-0/plain.txt"],
    ["tree/dir-1/level-0", "tree/large.bin/x"],
  ];
  for (const [from, to] of wrong) await forms("copy", (copy) => copy(at(from), at(to)));
  for (const [from, to] of wrong) await forms("move", (move) => move(at(from), at(to)));

  await forms("move", (move, to) => move(to("copy"), to("moved", "far", "away")));
  await forms("move", (move, to) => move(to("filtered"), to("moved")));
  // What fails within rmSync() is told in another way by each Node.
  for (const way of ["sync", "async"]) fs.chmodSync(at(way, "moved", "far", "away", "dir-2"), 0o755);
  await forms("move", (move, to) => move(to("filtered"), to("moved"), { overwrite: true }));
  await forms("move", (move, to) => move(to("moved", "large.bin"), to("Large.bin")));
  say(tree("sync/moved"), tree("async/moved") === tree("sync/moved"));

  for (const name of NAMES) {
    await forms("ensureFile", (ensure, to) => ensure(to("ensured", name, "file")));
    await forms("ensureDir", (ensure, to) => ensure(to("ensured", name, "dir", "below"), { mode: 0o2750 }));
    await forms("ensureSymlink", (ensure, to) => ensure(to("ensured", name, "file"), to("ensured", "links", name)));
    await forms("ensureSymlink", (ensure, to) => ensure("file", to("ensured", name, "relative")));
    await forms("ensureLink", (ensure, to) => ensure(to("ensured", name, "file"), to("ensured", "hard", name)));
    await forms("ensureLink", (ensure, to) => ensure(to("ensured", name, "file"), to("ensured", "hard", name)));
  }
  await forms("ensureDir", (ensure, to) => ensure(to("ensured", "-dash", "file")));
  await forms("ensureFile", (ensure, to) => ensure(to("ensured", "-dash")));
  await forms("ensureDir", (ensure, to) => ensure(to("ensured", "-dash", "file", "below")));
  await forms("ensureLink", (ensure, to) => ensure(to("nowhere"), to("x")));
  await forms("ensureSymlink", (ensure, to) => ensure(to("nowhere"), to("x")));
  say(tree("sync/ensured"), tree("async/ensured").replaceAll("/async/", "/sync/") === tree("sync/ensured"));

  const value = { text: "ümlaut", list: [1, 2, { three: null }] };
  await forms("outputJson", (output, to) => output(to("out", "a", "b.json"), value, { spaces: 2, EOL: "\r\n" }));
  await forms("writeJson", (write, to) => write(to("out", "c.json"), value, { replacer: ["text"], mode: 0o600 }));
  await forms("outputFile", (output, to) => output(to("out", "deep", "er", "file"), bytesOf(9, 100_000)));
  await forms("outputFile", (output, to) => output(to("out", "deep", "er"), "a directory"));
  say(tree("sync/out"), tree("sync/out") === tree("async/out"));
  fs.writeFileSync(at("bad.json"), "{ bad");
  for (const file of ["async/out/a/b.json", "missing.json", "tree"]) {
    // From Node 26 on, which foliofs follows, EISDIR of a read tells the path.
    const told = (failure) => (file === "tree" ? failure.code : failure);
    await forms("readJson", async (read) => say(await read(at(file))), told);
    await forms("readJson", async (read) => say(await read(at(file), { throws: false })), told);
  }
  say(
    (await failureOf(() => fse.readJson(at("bad.json")))).name,
    await fse.readJson(at("bad.json"), { throws: false }),
  );

  await forms("emptyDir", (empty, to) => empty(to("ensured")));
  await forms("emptyDir", (empty, to) => empty(to("made", "anew")));
  await forms("emptyDir", (empty, to) => empty(to("Large.bin")));
  await forms("remove", (remove, to) => remove(to("out")));
  await forms("remove", (remove, to) => remove(to("out")));
  await forms("pathExists", async (exists, to) => say(await exists(to("out")), await exists(to("made", "anew"))));
  say(fs.readdirSync(at("sync")), fs.readdirSync(at("async")));

  // All of node:fs comes along, as promises too.
  const fd = await fse.open(at("raw"), "w+");
  say(
    (await fse.write(fd, Buffer.from("0123456789"))).bytesWritten,
    (await fse.writev(fd, [Buffer.from("ab"), Buffer.from("cd")], 10)).bytesWritten,
  );
  const { bytesRead, buffer } = await fse.read(fd, Buffer.alloc(20), 0, 20, 0);
  say(bytesRead, buffer.toString(), (await fse.readv(fd, [Buffer.alloc(3), Buffer.alloc(30)], 1)).bytesRead);
  await fse.close(fd);
  say(
    await fse.exists(at("raw")),
    (await fse.realpath.native(at("tree", "dir-0", "link"))) === at("tree", "dir-0", "plain.txt"),
  );
  say(await failureOf(() => fse.access(at("nope"))), await failureOf(() => fse.rename(at("nope"), at("x"))));
  await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      fse
        .outputFile(at("many", `${i % 10}`, `${i}`), String(i))
        .then(() => fse.copy(at("many", `${i % 10}`, `${i}`), at("copies", `${i}`))),
    ),
  );
  say(tree("many"), fs.readdirSync(at("copies")).length);

  // Not for users: root is refused nothing.
  fs.chmodSync(at("tree", "dir-1", "level-0", "plain.txt"), 0);
  fs.mkdirSync(at("closed"), { mode: 0o555 });
  fs.writeFileSync(at("own"), "");
  for (const name of ["sync", "async"]) fs.mkdirSync(at(name, "refused"));
  await forms("copy", (copy, to) => copy(at("tree", "dir-1", "level-0", "plain.txt"), to("refused", "copy")));
  await forms("outputFile", (output, to) => output(at("closed", "a", basename(to()))));
  await forms("ensureSymlink", (ensure, to) => ensure(at("own"), at("closed", `link-${basename(to())}`)));
  await forms("move", (move, to) => move(at("tree", "dir-2", "level-0"), to("refused", "moved")));
}
