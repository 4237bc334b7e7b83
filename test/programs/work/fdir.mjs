/** fdir, by its `fs` option: sync, promise and callback; grouping, counting, links followed, filters, errors. */
import { join } from "node:path";
import { fdir } from "fdir";
import { makeGlobTree } from "./patterns.mjs";
import { failureOf } from "./report.mjs";

const WAYS = {
  plain: (one) => one,
  "full paths": (one) => one.withFullPaths(),
  directories: (one) => one.withDirs().withRelativePaths(),
  "only directories": (one) => one.onlyDirs().withFullPaths(),
  depth: (one) => one.withMaxDepth(2).withDirs().withFullPaths(),
  "links followed": (one) => one.withSymlinks().withFullPaths(),
  "links kept": (one) => one.withSymlinks({ resolvePaths: false }).withRelativePaths(),
  normalised: (one) => one.normalize().withBasePath(),
  filtered: (one) => one.filter((path, isDirectory) => !isDirectory && path.endsWith(".txt")).withFullPaths(),
  excluded: (one) =>
    one
      .exclude((name) => name === "level-1")
      .withDirs()
      .withFullPaths(),
  "most files": (one) => one.withMaxFiles(100).withRelativePaths(),
  grouped: (one) => one.group().withFullPaths(),
  counts: (one) => one.onlyCounts().withDirs(),
};

/** What sync gives as it is; what came by several reads at once, sorted. */
const sorted = (result) =>
  Array.isArray(result)
    ? result.map((one) => JSON.stringify(one.files ? { ...one, files: one.files.toSorted() } : one)).sort()
    : result;

export default async function main({ fs, root, say }) {
  const tree = join(root, "tree");
  makeGlobTree(fs, tree);
  for (const [name, way] of Object.entries(WAYS)) {
    for (const errors of [false, true]) {
      const crawl = () => (errors ? way(new fdir({ fs })).withErrors() : way(new fdir({ fs }))).crawl(tree);
      let sync;
      const failure = await failureOf(() => (sync = crawl().sync()));
      say(name, errors, failure, sync);
      if (failure !== "none" || name === "most files") continue;
      const promised = await crawl().withPromise();
      const called = await new Promise((resolve, reject) =>
        crawl().withCallback((error, files) => (error ? reject(error) : resolve(files))),
      );
      say(
        JSON.stringify(sorted(promised)) === JSON.stringify(sorted(sync)),
        JSON.stringify(sorted(called)) === JSON.stringify(sorted(sync)),
      );
    }
  }
  const missing = () => new fdir({ fs }).withErrors().crawl(join(root, "nowhere"));
  say(await failureOf(() => missing().sync()), await failureOf(() => missing().withPromise()));
  say(new fdir({ fs }).crawl(join(root, "nowhere")).sync());
}
