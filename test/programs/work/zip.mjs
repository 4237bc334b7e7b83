/** yazl writes archives, unzipper reads them: from files, buffers and streams; cut, encrypted not; concurrency. */
import { join } from "node:path";
import { finished, pipeline } from "node:stream/promises";
import unzipper from "unzipper";
import yazl from "yazl";
import { bytesOf, makeTree, mtimeOf } from "./make-tree.mjs";
import { digest, failureOf, treeOf } from "./report.mjs";

/** All files below a directory, by their names from there; not by `recursive`, in which Nodes differ at links. */
const filesOf = (fs, directory, name = "") =>
  fs.readdirSync(join(directory, name), { withFileTypes: true }).flatMap((entry) => {
    const path = join(name, entry.name);
    if (entry.isDirectory()) return filesOf(fs, directory, path);
    return entry.isFile() && !path.includes("\\") && !path.includes("\n") ? [path] : [];
  });

async function zip(fs, tree, file, options) {
  const archive = new yazl.ZipFile();
  const failed = new Promise((_, reject) => archive.on("error", reject));
  for (const name of filesOf(fs, tree)) archive.addFile(join(tree, name), name, options);
  archive.addEmptyDirectory("empty-by-hand", { mtime: new Date(mtimeOf(1) * 1000), mode: 0o40700 });
  archive.addBuffer(bytesOf(1, 70_000), "buffer.bin", { mtime: new Date(mtimeOf(2) * 1000) });
  archive.addReadStreamLazy("lazy.bin", { mtime: new Date(mtimeOf(3) * 1000) }, (done) =>
    done(null, fs.createReadStream(join(tree, "large.bin"), { start: 1000, end: 99_999 })),
  );
  archive.end({ comment: "ümlaut-free comment".slice(7) });
  await Promise.race([pipeline(archive.outputStream, fs.createWriteStream(file)), failed]);
}

export default async function main({ fs, root, say }) {
  process.env.TZ = "UTC";
  const at = (...names) => join(root, ...names);
  makeTree(fs, at("tree"), { directories: 5 });
  // What is before 1980 is not for zip.
  for (const name of filesOf(fs, at("tree")))
    if (fs.statSync(at("tree", name)).mtimeMs < 0) fs.utimesSync(at("tree", name), 1e9, 1e9);
  await zip(fs, at("tree"), at("deflated.zip"), {});
  await zip(fs, at("tree"), at("stored.zip"), { compress: false, mode: 0o100640 });
  await zip(fs, at("tree"), at("zip64.zip"), { forceZip64Format: true, forceDosTimestamp: true });

  for (const name of ["deflated.zip", "stored.zip", "zip64.zip"]) {
    say(name, fs.statSync(at(name)).size, digest(fs.readFileSync(at(name))));
    const directory = await unzipper.Open.file(at(name));
    say(
      directory.files.map((file) => [
        file.path,
        file.type,
        file.uncompressedSize,
        file.externalFileAttributes,
        file.lastModifiedDateTime,
      ]),
    );
    const digests = await Promise.all(
      directory.files.filter(({ type }) => type === "File").map(async (file) => digest(await file.buffer())),
    );
    say(digests.join(" "));
    await directory.extract({ path: at(`${name}-extracted`), concurrency: 5 });
    say(treeOf(fs, at(`${name}-extracted`)).join("\n"));
    const buffered = await unzipper.Open.buffer(fs.readFileSync(at(name)));
    say(buffered.files.length, buffered.comment);
    const range = buffered.files.find(({ path }) => path === "large.bin").stream();
    await pipeline(range, fs.createWriteStream(at("one")));
    say(digest(fs.readFileSync(at("one"))));
  }

  // By stream: every entry as it comes.
  const entries = [];
  const parsed = fs
    .createReadStream(at("deflated.zip"), { highWaterMark: 1000 })
    .pipe(unzipper.Parse({ forceStream: true }));
  for await (const entry of parsed) {
    if (entry.path.endsWith(".txt")) entries.push(`${entry.path} ${digest(await entry.buffer())}`);
    else await entry.autodrain().promise();
  }
  say(entries);
  await fs
    .createReadStream(at("stored.zip"))
    .pipe(unzipper.Extract({ path: at("streamed") }))
    .promise();
  say(treeOf(fs, at("streamed")).join("\n"));
  const one = fs.createReadStream(at("deflated.zip")).pipe(unzipper.ParseOne(/large/));
  await Promise.all([finished(one.pipe(fs.createWriteStream(at("one")))), finished(one)]);
  say(digest(fs.readFileSync(at("one"))));

  fs.writeFileSync(at("cut.zip"), fs.readFileSync(at("deflated.zip")).subarray(0, 100_000));
  fs.writeFileSync(at("garbage.zip"), bytesOf(5, 5000));
  for (const name of ["cut.zip", "garbage.zip", "missing.zip", "tree"])
    say(name, await failureOf(() => unzipper.Open.file(at(name))));
  fs.mkdirSync(at("closed"), { mode: 0o555 });
  const again = await unzipper.Open.file(at("deflated.zip"));
  say(await failureOf(() => again.extract({ path: at("closed", "x"), concurrency: 1 })));
  fs.chmodSync(at("tree", "large.bin"), 0);
  say(await failureOf(() => zip(fs, at("tree"), at("unreadable.zip"), {})));
  say(await failureOf(() => zip(fs, at("tree"), at("no", "where.zip"), {})));
}
