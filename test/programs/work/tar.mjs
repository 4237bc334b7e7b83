/** tar: create, list, extract, update and replace, sync, by promise and by stream; plain and gzip; hostile entries. */
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import * as tar from "tar";
import { bytesOf, makeTree, setTimes } from "./make-tree.mjs";
import { digest, failureOf, treeOf } from "./report.mjs";

/** zlib's versions differ between Nodes, not between the two runs. */
const archive = (fs, path) => `${fs.statSync(path).size} ${digest(fs.readFileSync(path))}`;

/** What list() tells of each entry, sorted: promises read the tree in an order of their own. */
function entryLine({ path, type, size, mode, mtime, linkpath, uid, gid }) {
  return [type, mode?.toString(8), `${uid}:${gid}`, size, mtime?.toISOString(), path, linkpath ?? ""].join(" ");
}

export default async function main({ fs, root, say }) {
  const at = (...names) => join(root, ...names);
  makeTree(fs, at("tree"), { directories: 12 });
  fs.mkdirSync(at("tree", "read-only"), { mode: 0o755 });
  fs.writeFileSync(at("tree", "read-only", "file"), "text");
  fs.chmodSync(at("tree", "read-only"), 0o555);
  setTimes(fs, at("tree"));

  tar.create({ sync: true, cwd: root, file: at("sync.tar"), portable: true }, ["tree"]);
  tar.create({ sync: true, cwd: root, file: at("sync.tgz"), gzip: { level: 9 }, portable: true }, ["tree"]);
  await tar.create({ cwd: root, file: at("jobs-1.tar"), jobs: 1, preservePaths: true, portable: true }, [at("tree")]);
  await tar.create({ cwd: root, file: at("async.tgz"), gzip: true, mtime: new Date(0), noMtime: false }, ["tree"]);
  makeTree(fs, at("follow"), { directories: 2, links: false });
  fs.symlinkSync("../large.bin", at("follow", "dir-1", "link"));
  fs.symlinkSync("level-0", at("follow", "dir-1", "link-to-directory"));
  setTimes(fs, at("follow"));
  await tar.create({ cwd: at("follow"), file: at("follow.tar"), follow: true }, ["."]);
  await pipeline(
    tar.create({ cwd: root, strict: true, prefix: "prefix" }, ["tree/dir-0", "tree/large.bin"]),
    fs.createWriteStream(at("stream.tar")),
  );
  // At several jobs the order of entries is that of the answers, which is the kernel's own.
  for (const name of ["sync.tar", "sync.tgz", "jobs-1.tar"]) say(name, archive(fs, at(name)));

  const archives = fs.readdirSync(root).filter((name) => /\.t(ar|gz)$/.test(name));
  for (const name of archives) {
    const lines = [];
    await tar.list({ file: at(name), onReadEntry: (entry) => void lines.push(entryLine(entry)) });
    const again = [];
    tar.list({
      sync: true,
      file: at(name),
      noResume: false,
      onReadEntry: (entry) => void again.push(entryLine(entry)),
    });
    say(name, lines.length, lines.join() === again.join(), lines.sort().join("\n"));
  }

  for (const name of archives) {
    for (const sync of [true, false]) {
      const target = `${name}-${sync ? "sync" : "async"}`;
      fs.mkdirSync(at(target));
      await tar.extract({ sync, cwd: at(target), file: at(name), strict: name !== "jobs-1.tar", preserveOwner: true });
      say(target, treeOf(fs, at(target)).join("\n"));
    }
  }
  await pipeline(
    fs.createReadStream(at("sync.tgz"), { highWaterMark: 777 }),
    tar.extract({ cwd: at("sync.tgz-async"), newer: true }),
  );
  say("again, newer", digest(treeOf(fs, at("sync.tgz-async")).join()));
  fs.mkdirSync(at("strip"));
  await tar.extract({
    cwd: at("strip"),
    file: at("sync.tar"),
    strip: 2,
    keep: true,
    filter: (path) => path.includes("level-0"),
    noMtime: true,
    fmode: 0o600,
    dmode: 0o700,
    umask: 0o077,
  });
  say("strip", treeOf(fs, at("strip"), { times: false }).join("\n"));

  // Over what is there: files, links and directories in the place of others.
  fs.mkdirSync(at("over", "tree", "large.bin"), { recursive: true });
  fs.mkdirSync(at("over", "elsewhere"));
  fs.symlinkSync("../elsewhere", at("over", "tree", "dir-0"));
  fs.writeFileSync(at("over", "tree", "dir-1"), "a file");
  const warned = [];
  const onwarn = (code, message) => warned.push(`${code} ${message}`);
  say(
    await failureOf(() => tar.extract({ cwd: at("over"), file: at("sync.tar"), onwarn })),
    warned.sort(),
    treeOf(fs, at("over")).join("\n"),
  );
  warned.length = 0;
  fs.rmSync(at("over"), { recursive: true });
  fs.mkdirSync(at("over", "tree"), { recursive: true });
  fs.writeFileSync(at("over", "tree", "dir-1"), "a file");
  say(
    await failureOf(() => tar.extract({ cwd: at("over"), file: at("sync.tar"), sync: true, unlink: true, onwarn })),
    warned,
    treeOf(fs, at("over")).join("\n"),
  );

  // Appended to, and brought up to date.
  fs.writeFileSync(at("tree", "added"), bytesOf(3, 5000));
  fs.utimesSync(at("tree", "added"), 1_500_000_000, 1_500_000_000);
  fs.copyFileSync(at("sync.tar"), at("updated.tar"));
  fs.copyFileSync(at("sync.tar"), at("replaced.tar"));
  tar.update({ sync: true, portable: true, file: at("sync.tar"), cwd: root }, ["tree"]);
  await tar.update({ portable: true, file: at("updated.tar"), cwd: root, jobs: 1 }, ["tree"]);
  await tar.replace({ portable: true, file: at("replaced.tar"), cwd: root, jobs: 1 }, ["tree/added", "tree/large.bin"]);
  tar.replace({ sync: true, portable: true, file: at("replaced.tar"), cwd: root }, ["tree/added", "@sync.tar"]);
  for (const name of ["sync.tar", "updated.tar", "replaced.tar"]) say(name, archive(fs, at(name)));

  fs.writeFileSync(at("garbage.tar"), bytesOf(1, 4096));
  fs.writeFileSync(at("cut.tar"), fs.readFileSync(at("replaced.tar")).subarray(0, 100_000));
  fs.writeFileSync(at("cut.tgz"), fs.readFileSync(at("sync.tgz")).subarray(0, 10_000));
  fs.mkdirSync(at("errors"));
  for (const sync of [true, false]) {
    for (const file of ["missing.tar", "garbage.tar", "cut.tar", "cut.tgz", "tree"])
      for (const strict of [true, false]) {
        // Each for itself: an asynchronous one has more under way when it fails.
        const cwd = at("errors", `${file}-${sync}-${strict}`);
        fs.mkdirSync(cwd);
        say(file, sync, strict, await failureOf(() => tar.extract({ sync, strict, cwd, file: at(file) })));
        if (sync) say(treeOf(fs, cwd).join("\n"));
      }
    say(await failureOf(() => tar.extract({ sync, cwd: at("nowhere"), file: at("replaced.tar") })));
    say(await failureOf(() => tar.create({ sync, strict: true, cwd: root, file: at("x.tar") }, ["missing"])));
    say(await failureOf(() => tar.create({ sync, cwd: root, file: at("nowhere", "x.tar") }, ["tree"])));
    say(await failureOf(() => tar.update({ sync, cwd: root, file: at("missing.tar") }, ["tree"])));
    say(await failureOf(() => tar.replace({ sync, cwd: root, file: at("sync.tgz") }, ["tree"])));
  }

  // Not for everybody: users are told EACCES, root is not.
  fs.chmodSync(at("tree", "dir-1", "level-0", "plain.txt"), 0);
  fs.chmodSync(at("tree", "dir-2", "level-0"), 0o300);
  fs.chmodSync(at("errors"), 0o500);
  for (const sync of [true, false]) {
    for (const directory of ["dir-1", "dir-2", "read-only"]) {
      const action = () =>
        tar.create({ sync, strict: true, portable: true, jobs: 1, cwd: root, file: at("y.tar") }, [
          `tree/${directory}`,
        ]);
      say(directory, await failureOf(action));
      if (sync) say(archive(fs, at("y.tar")));
    }
    say(await failureOf(() => tar.extract({ sync, strict: true, cwd: at("errors"), file: at("stream.tar") })));
    fs.mkdirSync(at(`harm-${sync}`, "prefix", "tree"), { recursive: true });
    fs.chmodSync(at(`harm-${sync}`, "prefix", "tree"), 0o500);
    warned.length = 0;
    say(
      await failureOf(() => tar.extract({ sync, cwd: at(`harm-${sync}`), file: at("stream.tar"), onwarn })),
      warned.sort(),
    );
  }
}
