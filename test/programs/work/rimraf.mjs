/** rimraf: its five ways to remove, sync and by promise; filters, globs, aborts; what may not be removed. */
import { join } from "node:path";
import {
  manual,
  manualSync,
  moveRemove,
  moveRemoveSync,
  native,
  nativeSync,
  posix,
  posixSync,
  rimraf,
  rimrafSync,
  windows,
  windowsSync,
} from "rimraf";
import { makeTree } from "./make-tree.mjs";
import { digest, failureOf, treeOf } from "./report.mjs";

const SYNC = { manualSync, moveRemoveSync, nativeSync, posixSync, rimrafSync, windowsSync };
const ASYNC = { manual, moveRemove, native, posix, rimraf, windows };
/** Names that moveRemove and windows give by chance. */
const stable = (value) => JSON.parse(JSON.stringify(value).replaceAll(/\.[^/"' ]+\.0?[.\d a-f]{6,}/g, "<chance>"));
const codeOf = (error) => error.code ?? error;

/** Where they fail, and what they leave, is the same at each run: the others do much at once, or by Node's rmSync(). */
const IN_ORDER = ["manualSync", "moveRemoveSync", "posixSync", "windowsSync"];

/** The message of rmSync()'s errors is another one from Node to Node; foliofs has Node 26's. */
const BY_RM_SYNC = ["nativeSync", "rimrafSync"];

export default async function main({ fs, root, say }) {
  const at = (...names) => join(root, ...names);
  // What is moved away must stay on this file system.
  fs.mkdirSync(at("tmp"));
  const quick = { tmp: at("tmp"), maxRetries: 2, retryDelay: 1, backoff: 1.1, maxBackoff: 5 };
  const left = (name) => (fs.existsSync(at(name)) ? treeOf(fs, at(name), { times: false }) : []);
  const ways = Object.entries({ ...SYNC, ...ASYNC });
  for (const [name, way] of ways) {
    // A directory of its own: asynchronous ways that fail have more under way, which goes on.
    const refused = `refused-${name}`;
    makeTree(fs, at(refused), { directories: 5 });
    fs.mkdirSync(at("kept", "below"), { recursive: true });
    fs.writeFileSync(at("kept", "below", "file"), "");
    fs.symlinkSync("../kept", at(refused, "outside"));
    fs.chmodSync(at(refused, "dir-2"), 0o555);
    fs.chmodSync(at(refused, "dir-3", "level-0", "level-1"), 0o000);
    say(
      name,
      (IN_ORDER.includes(name) ? stable : codeOf)(await failureOf(() => way(at(refused), quick))),
      fs.readdirSync(root),
      treeOf(fs, at("kept"), { times: false }),
    );
    if (fs.existsSync(at(refused))) {
      if (IN_ORDER.includes(name))
        say(
          "left",
          left(refused).filter((line) => !line.includes(" .")),
        );
      for (const path of ["dir-2", "dir-3/level-0/level-1"])
        await failureOf(() => fs.promises.chmod(at(refused, path), 0o755)); // it may be gone, or go at this moment
      say(await way(at(refused), quick), fs.readdirSync(root));
    }
    say(await way(at(refused), quick), await way([at(refused), at("kept")], quick), fs.readdirSync(root));

    makeTree(fs, at("tree"), { directories: 3 });
    const seen = [];
    const filter = (path, entry) => {
      seen.push(`${path.slice(root.length)} ${entry.isFile()} ${entry.isDirectory()} ${entry.isSymbolicLink()}`);
      return !path.endsWith(".txt");
    };
    say(await way(at("tree"), { ...quick, filter }), digest(seen.sort().join("\n")), left("tree").join("\n"));
    say(await way(at("tree", "**", "file-1[4-8].*"), { ...quick, glob: true }), left("tree").length);
    say(await way(at("tree", "dir-0", "plain.txt"), quick), await way(at("tree", "dir-1", "nothing", "here"), quick));
    fs.mkdirSync(at("targets"));
    fs.symlinkSync("targets", at("link"));
    say(await way(at("link"), quick), fs.readdirSync(root));
    say(await failureOf(() => way(at("tree"), { ...quick, signal: AbortSignal.abort(new Error("enough")) })));
    say(
      await failureOf(() => way("/", quick)),
      await failureOf(() => way(`${root}/nul\0`, quick)),
      await failureOf(() => way(7)),
    );
    await way([at("tree"), at("targets")], quick);

    fs.mkdirSync(at("fixed", "inside"), { recursive: true });
    fs.chmodSync(at("fixed"), 0o555);
    const failure = await failureOf(() => way(at("fixed", "inside"), quick));
    say(BY_RM_SYNC.includes(name) ? codeOf(failure) : stable(failure), fs.existsSync(at("fixed", "inside")));
    if (fs.existsSync(at("fixed", "inside"))) fs.chmodSync(at("fixed"), 0o755);
    await way(at("fixed"), quick);
    say(fs.readdirSync(root));
  }

  // Many at once, some of them the same.
  for (let i = 0; i < 20; i++) makeTree(fs, at(`many-${i}`), { directories: 1 });
  const all = Array.from({ length: 40 }, (_, i) => rimraf(at(`many-${i % 20}`)));
  say((await Promise.all(all)).length, fs.readdirSync(root));
}
