/** tinyglobby, by its `fs` option: sync and promise, options. */
import { join } from "node:path";
import { glob, globSync } from "tinyglobby";
import { makeGlobTree, PATTERNS } from "./patterns.mjs";
import { failureOf } from "./report.mjs";

const OPTIONS = [
  {},
  { dot: true, onlyFiles: false },
  { followSymbolicLinks: false, absolute: true },
  { deep: 3, caseSensitiveMatch: false, expandDirectories: false },
  { onlyDirectories: true },
  { ignore: ["**/level-1/**", "**/*.js"] },
];

export default async function main({ fs, root, say }) {
  const cwd = join(root, "tree");
  makeGlobTree(fs, cwd);
  for (const options of OPTIONS) {
    for (const pattern of PATTERNS) {
      const all = { fs, cwd, ...options };
      let found = [];
      const failure = await failureOf(() => (found = globSync(pattern, all)));
      say(pattern, options, failure, found.length, found.join(" "));
      if (failure === "none") say((await glob(pattern, all)).sort().join() === found.toSorted().join());
    }
  }
  say(globSync([...PATTERNS, "!**/*.txt"], { fs, cwd }));
  say(
    await failureOf(() => glob("*", { fs, cwd: join(root, "nowhere") })),
    globSync("*", { fs, cwd: join(root, "nowhere") }),
  );
}
