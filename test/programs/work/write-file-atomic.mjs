/** write-file-atomic: async, callback and sync; modes, owners, many writers of one file, errors, aborts of its steps. */
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { bytesOf, NAMES } from "./make-tree.mjs";
import { digest, failureOf, treeOf } from "./report.mjs";

/** Temporary names carry a hash of the process's id. */
const stable = (value) => JSON.parse(JSON.stringify(value).replaceAll(/(\.)\d{5,}/g, "$1<hash>"));

export default async function main({ fs, root, say, args: [user] }) {
  const at = (...names) => join(root, ...names);
  fs.mkdirSync(at("sync"));
  for (const [i, name] of NAMES.entries()) {
    if (name.length > 150) continue; // with its hash it would be too long
    writeFileAtomic.sync(at("sync", name), bytesOf(i, i * 1000));
    await writeFileAtomic(at(name), bytesOf(i, i * 500), { mode: 0o640 + i });
  }
  say(treeOf(fs, root).join("\n"));

  // Mode and owner of what is replaced stay; with `mode` they change; a symbolic link is followed.
  fs.chmodSync(at("plain.txt"), 0o4711);
  fs.symlinkSync("plain.txt", at("link"));
  await writeFileAtomic(at("link"), "by its link", "utf8");
  say(treeOf(fs, root).filter((line) => / (plain\.txt|link) /.test(line)));
  writeFileAtomic.sync(at("link"), "€", { encoding: "utf16le", mode: 0o604, fsync: false });
  say(fs.readFileSync(at("plain.txt")).toString("hex"), fs.statSync(at("plain.txt")).mode.toString(8));
  if (!user) {
    await writeFileAtomic(at("owned"), "1", { chown: { uid: 12, gid: 34 } });
    writeFileAtomic.sync(at("owned"), "2");
    await writeFileAtomic(at("owned"), "3", { chown: false });
    say(treeOf(fs, root).filter((line) => line.includes(" owned")));
  }

  // Writers of one file stand in a queue; those of several go on at once.
  const order = [];
  const files = ["queue", "queue", "other", "queue", "third", "other"];
  await Promise.all(
    files.map((name, i) => writeFileAtomic(at(name), `${name} ${i}`).then(() => order.push(`${name} ${i}`))),
  );
  for (const name of ["queue", "other", "third"])
    say(
      order.filter((one) => one.startsWith(name)),
      fs.readFileSync(at(name), "utf8"),
    );
  await Promise.all(Array.from({ length: 200 }, (_, i) => writeFileAtomic(at(`many-${i % 50}`), bytesOf(i, 3000))));
  say(
    digest(
      fs
        .readdirSync(root)
        .map((name) => `${name} ${digest(fs.lstatSync(at(name)).isFile() ? fs.readFileSync(at(name)) : "")}`)
        .join(),
    ),
  );

  const temporary = [];
  await writeFileAtomic(at("told"), "x", { tmpfileCreated: (path) => void temporary.push(path) });
  say(
    temporary.map((path) => /^told\.\d+$/.test(path.slice(root.length + 1))),
    fs.existsSync(temporary[0]),
  );
  await new Promise((resolve) =>
    writeFileAtomic(at("callback"), "x", (error) => resolve(say("callback", error ?? "done"))),
  );

  fs.mkdirSync(at("full"));
  fs.writeFileSync(at("full", "file"), "");
  for (const path of ["missing/file", "plain.txt/below", "full", "", `${"n".repeat(260)}`]) {
    say(path.slice(0, 20), stable(await failureOf(() => writeFileAtomic(at(path), "x"))));
    say(path.slice(0, 20), stable(await failureOf(() => writeFileAtomic.sync(at(path), "x"))));
  }
  fs.chmodSync(at("full"), 0o500);
  fs.chmodSync(at("full", "file"), 0o666);
  say(
    stable(await failureOf(() => writeFileAtomic(at("full", "file"), "x"))),
    stable(await failureOf(() => writeFileAtomic.sync(at("full", "new"), "x"))),
  );
  say(
    fs.readdirSync(root).filter((name) => /\.\d{5,}$/.test(name)),
    "left",
  );
}
