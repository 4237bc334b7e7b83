/** fast-glob, by its `fs` option: sync, promise and stream; options; stats; errors not suppressed. */
import { join } from "node:path";
import fastGlob from "fast-glob";
import { makeGlobTree, PATTERNS } from "./patterns.mjs";
import { failureOf } from "./report.mjs";

const OPTIONS = [
  {},
  { dot: true, onlyFiles: false, markDirectories: true },
  { followSymbolicLinks: false, unique: false },
  { deep: 3, absolute: true, caseSensitiveMatch: false },
  { onlyDirectories: true, baseNameMatch: true, concurrency: 1 },
  { ignore: ["**/level-1/**", "**/*.js"], extglob: false, globstar: true, braceExpansion: false },
  { throwErrorOnBrokenSymbolicLink: true, stats: true },
];

export default async function main({ fs, root, say }) {
  const cwd = join(root, "tree");
  makeGlobTree(fs, cwd);
  // Without this the loop is followed until ELOOP, on both: 40 times over.
  const ignored = ["loop/up/**", "**/link-to-directory/link-to-directory/**", "loop/absolute/**/link-to-directory/**"];
  for (const options of OPTIONS) {
    for (const pattern of PATTERNS) {
      for (const suppressErrors of options === OPTIONS[0] ? [true, false] : [true]) {
        const all = { fs, cwd, suppressErrors, ...options, ignore: [...ignored, ...(options.ignore ?? [])] };
        const strings = (entries) =>
          entries.map((entry) => (entry.stats ? `${entry.path} ${entry.stats.size} ${entry.stats.mode}` : entry));
        let found = [];
        const failure = await failureOf(() => (found = strings(fastGlob.sync(pattern, all))));
        say(pattern, options, suppressErrors, failure, found.length, found.join(" "));
        if (failure !== "none") {
          // Which of several errors comes first is up to the kernel's threads.
          say(typeof (await failureOf(() => fastGlob(pattern, all))));
          continue;
        }
        say(
          strings(await fastGlob(pattern, all))
            .sort()
            .join() === found.toSorted().join(),
        );
      }
    }
  }
  const streamed = [];
  const options = { fs, cwd, objectMode: true, stats: true, ignore: [...ignored, "closed/**", "names-only/**"] };
  for await (const entry of fastGlob.stream(["**/*.txt", "!**/level-2/**"], options))
    streamed.push(`${entry.path} ${entry.name} ${entry.dirent.isFile()} ${entry.stats.mtimeMs}`);
  say(streamed.sort());
  say(
    await failureOf(() => fastGlob("*", { fs, cwd: join(root, "nowhere") })),
    fastGlob.sync("*", { fs, cwd: join(root, "nowhere") }),
  );
}
