/** isomorphic-git: a few hundred commits on branches, merges with and without conflict, checkouts, status, log, packs. */
import { dirname, join } from "node:path";
import git from "isomorphic-git";
import { randomBelow } from "./random.mjs";
import { digest, treeOf } from "./report.mjs";

const SEED = 20_260_801;
const NR_COMMITS = 240;
const NAMES = [
  "README.md",
  "src/main.js",
  "src/lib/a.js",
  "src/lib/b.js",
  "src/lib/deep/er/c.js",
  "docs/ü.txt",
  "bin/run",
  "empty",
];

export default async function main({ fs, root, say }) {
  const dir = join(root, "repo");
  const random = randomBelow(SEED);
  let clock = 1_700_000_000;
  let step = 0;

  const repo = (more) => ({ fs, dir, ...more });
  const who = () => ({ name: "A. Author", email: "a@example.org", timestamp: clock++, timezoneOffset: -60 });

  function write(path, data, mode = 0o644) {
    fs.mkdirSync(dirname(join(dir, path)), { recursive: true });
    fs.writeFileSync(join(dir, path), data);
    fs.chmodSync(join(dir, path), mode);
  }

  /** Text of a size no other step has: git's index tells a change within one second by the size alone. */
  function text(step) {
    return `step ${step}\n${`${"x".repeat(random(60))}\n`.repeat(random(40))}`.padEnd(3_000 + step, ".");
  }

  async function change() {
    step++;
    const path = `${NAMES[random(NAMES.length)]}${random(3) === 0 ? `-${random(12)}` : ""}`;
    const full = join(dir, path);
    const kind = random(10);
    if (kind === 0 && fs.existsSync(full)) {
      fs.unlinkSync(full);
      await git.remove(repo({ filepath: path }));
    } else if (kind === 1 && fs.existsSync(full)) {
      const to = `moved/${step}`;
      fs.mkdirSync(join(dir, "moved"), { recursive: true });
      fs.renameSync(full, join(dir, to));
      await git.remove(repo({ filepath: path }));
      await git.add(repo({ filepath: to }));
    } else if (kind === 2) {
      const link = `links/${step}`;
      fs.mkdirSync(join(dir, "links"), { recursive: true });
      fs.symlinkSync(`../${path}`, join(dir, link));
      await git.add(repo({ filepath: link }));
    } else {
      if (fs.existsSync(full)) fs.unlinkSync(full);
      write(path, text(step), path.startsWith("bin/") ? 0o755 : 0o644);
      await git.add(repo({ filepath: path }));
    }
  }

  async function commit(message, more) {
    return git.commit(repo({ message, author: who(), committer: who(), ...more }));
  }

  async function checkout(ref) {
    await git.checkout(repo({ ref }));
  }

  /** Merges a branch; where both sides have changed a file, takes what lies there, with the marks, as resolved. */
  async function merge(ours, theirs) {
    try {
      const result = await git.merge(repo({ ours, theirs, author: who(), committer: who(), abortOnConflict: false }));
      say("merge", ours, theirs, result);
    } catch (error) {
      if (!(error instanceof git.Errors.MergeConflictError)) throw error;
      const { code, data } = error;
      // Trees are walked by promises, in whatever order the threads of libuv answer.
      for (const paths of Object.values(data)) paths.sort();
      say("merge", ours, theirs, code, data);
      for (const filepath of data.filepaths) {
        say("conflict", filepath, digest(fs.readFileSync(join(dir, filepath))));
        write(filepath, text(++step));
        await git.add(repo({ filepath }));
      }
      const parents = await Promise.all([ours, theirs].map((ref) => git.resolveRef(repo({ ref }))));
      say("resolved", await commit(`merge ${theirs}`, { parent: parents, tree: undefined }));
    }
    await checkout(ours);
  }

  /** Lines of all that git has put there. */
  const tracked = (folder) =>
    treeOf(fs, folder, { times: false })
      .filter((line) => !/ (\.git|new|ignored|node_modules|staged|staged-changed|\.)($| |\/|ignore)/.test(line))
      .sort();

  async function status() {
    const rows = await git.statusMatrix(repo());
    say(
      "status",
      rows.length,
      digest(JSON.stringify(rows)),
      rows.filter(([, ...state]) => state.some((n) => n !== 1)),
    );
  }

  await git.init(repo({ defaultBranch: "main" }));
  await git.setConfig(repo({ path: "user.name", value: "A. Author" }));
  for (const name of NAMES.slice(0, -1)) {
    write(name, text(++step));
    await git.add(repo({ filepath: name }));
  }
  write("empty", "");
  await git.add(repo({ filepath: "empty" }));
  say("first", await commit("first"));

  // Commits on main and on branches, which come back by merges.
  const branches = [];
  let current = "main";
  for (let i = 1; i <= NR_COMMITS; i++) {
    for (let n = 1 + random(4); n > 0; n--) await change();
    say(i, current, await commit(`commit ${i}\n\nmore text\n`));
    if (i % 30 === 5) {
      const name = `topic/${i}`;
      await git.branch(repo({ ref: name, checkout: false }));
      branches.push(name);
    }
    if (i % 10 === 0 && branches.length > 0) {
      current = current === "main" ? branches.at(-1) : "main";
      await checkout(current);
    }
    if (i % 60 === 0) {
      if (current !== "main") await checkout("main");
      current = "main";
      await merge("main", branches.at(-1));
      await status();
    }
  }
  // A clean merge and a fast-forward.
  await checkout("main");
  await git.branch(repo({ ref: "clean", checkout: true }));
  write("only/on/clean", "clean\n");
  await git.add(repo({ filepath: "only/on/clean" }));
  await commit("clean");
  await checkout("main");
  write("only/on/main", "main\n");
  await git.add(repo({ filepath: "only/on/main" }));
  await commit("on main");
  await merge("main", "clean");
  await git.branch(repo({ ref: "ahead", checkout: true }));
  write("ahead", "ahead\n");
  await git.add(repo({ filepath: "ahead" }));
  await commit("ahead");
  await checkout("main");
  await merge("main", "ahead");

  // Every state of a working tree that the matrix tells.
  write("new", "new");
  write("staged", "staged");
  await git.add(repo({ filepath: "staged" }));
  write("staged-changed", "a");
  await git.add(repo({ filepath: "staged-changed" }));
  write("staged-changed", "other");
  write("ahead", "changed on disk");
  fs.unlinkSync(join(dir, "only/on/main"));
  await git.remove(repo({ filepath: "only/on/clean" }));
  write(".gitignore", "ignored\nnode_modules\n");
  write("ignored", "");
  write("node_modules/x/y", "");
  await status();
  say(await git.listFiles(repo()));
  await git.resetIndex(repo({ filepath: "staged" }));
  await git.checkout(repo({ force: true }));
  await status();

  // History.
  const log = await git.log(repo({ ref: "main" }));
  say("log", log.length, digest(JSON.stringify(log)));
  say(
    "log of a file",
    (await git.log(repo({ ref: "main", filepath: "README.md" }))).map(({ oid }) => oid.slice(0, 10)),
  );
  say("branches", await git.listBranches(repo()), await git.currentBranch(repo()));
  await git.annotatedTag(repo({ ref: "v1", message: "one", tagger: who() }));
  await git.tag(repo({ ref: "light", object: log[9].oid }));
  say("tags", await git.listTags(repo()), await git.resolveRef(repo({ ref: "v1" })));
  say("base", await git.findMergeBase(repo({ oids: [log[0].oid, log[40].oid] })));
  await checkout("light");
  say("detached", (await git.currentBranch(repo())) ?? "none", digest(tracked(dir).join("\n")));
  await checkout("main");

  // All objects into a pack, the pack into another repository, and that checked out.
  const oids = [];
  for (const folder of fs.readdirSync(join(dir, ".git/objects")).sort()) {
    if (folder.length === 2)
      for (const name of fs.readdirSync(join(dir, ".git/objects", folder)).sort()) oids.push(folder + name);
  }
  say("objects", oids.length, digest(oids.join()));
  const pack = await git.packObjects(repo({ oids, write: true }));
  say("pack", pack.filename, digest(fs.readFileSync(join(dir, ".git/objects/pack", pack.filename))));
  const other = join(root, "other");
  await git.init({ fs, dir: other, defaultBranch: "main" });
  fs.cpSync(join(dir, ".git/objects/pack"), join(other, ".git/objects/pack"), { recursive: true });
  const filepath = `.git/objects/pack/${pack.filename}`;
  const indexed = await git.indexPack({ fs, dir: other, filepath });
  say("indexed", indexed.oids.length, digest(fs.readFileSync(join(other, filepath.replace(/pack$/, "idx")))));
  await git.writeRef({ fs, dir: other, ref: "refs/heads/main", value: log[0].oid });
  await git.checkout({ fs, dir: other, ref: "main" });
  const rows = await git.statusMatrix({ fs, dir: other });
  say(
    "of the pack",
    rows.length,
    rows.filter(([, ...state]) => state.some((n) => n !== 1)),
  );
  say(tracked(other).join("\n"));
  say(
    fs
      .readdirSync(join(dir, ".git"), { recursive: true })
      .filter((name) => !String(name).startsWith("objects"))
      .sort(),
  );
}
