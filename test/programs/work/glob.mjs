/** glob, by its `fs` option: sync, promise, iterators and streams; options; stats; ignore. */
import { join } from "node:path";
import { Glob, glob, globIterate, globStream, globSync } from "glob";
import { makeGlobTree, PATTERNS } from "./patterns.mjs";
import { failureOf } from "./report.mjs";

const OPTIONS = [
  {},
  { dot: true, nodir: true },
  { follow: true, maxDepth: 4 },
  { mark: true, posix: true, dotRelative: true },
  { absolute: true, realpath: true },
  { nocase: true, matchBase: true, ignore: ["**/level-1/**", "**/*.js"] },
];

export default async function main({ fs, root, say }) {
  const cwd = join(root, "tree");
  makeGlobTree(fs, cwd);
  for (const options of OPTIONS) {
    for (const pattern of PATTERNS) {
      const all = { fs, cwd, ...options };
      const sync = globSync(pattern, all);
      const found = await glob(pattern, all);
      say(pattern, options, sync.length, sync.join(" "), sync.toSorted().join() === found.toSorted().join());
    }
  }
  const streamed = [];
  for await (const path of globStream("**/*.{txt,js}", { fs, cwd })) streamed.push(path);
  say(streamed.sort());
  const iterated = [];
  for await (const path of globIterate(PATTERNS, { fs, cwd, dot: true })) iterated.push(path);
  say(iterated.sort());

  const stats = new Glob("**/{plain,file-2}*", { fs, cwd, stat: true, withFileTypes: true });
  const paths = [...stats.walkSync()];
  const line = (path) => [
    path.relative(),
    path.mode?.toString(8),
    path.size,
    path.nlink,
    path.mtimeMs,
    path.isFile(),
    path.isSymbolicLink(),
  ];
  say(paths.map(line));
  const links = await glob("**/*link*", { fs, cwd, withFileTypes: true, stat: true });
  const told = await Promise.all(
    links.map(async (path) => [path.relative(), (await path.readlink())?.relative(), path.realpathSync()?.fullpath()]),
  );
  say(told.sort());
  const newest = new Glob("**/*.txt", {
    fs,
    cwd,
    stat: true,
    withFileTypes: true,
    ignore: { ignored: (path) => path.size > 3000 },
  });
  say((await newest.walk()).sort((a, b) => b.mtimeMs - a.mtimeMs).map((path) => path.relative()));
  say(
    await failureOf(() => glob("*", { fs, cwd: join(root, "nowhere") })),
    await glob("*", { fs, cwd: join(root, "nowhere") }),
  );
  const aborted = AbortSignal.abort();
  say(await failureOf(() => glob("**", { fs, cwd, signal: aborted })));
}
