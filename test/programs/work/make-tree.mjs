/** A tree for programs to work on: hundreds of files of all sizes and kinds of names, the same at each run. */
import { join } from "node:path";

/** Names that programs trip over. */
export const NAMES = [
  "plain.txt",
  ".hidden",
  "with space",
  "ümlaut-日本語.md",
  "e\u0301-decomposed",
  "😀.bin",
  "quote'\"quote",
  "back\\slash",
  "new\nline",
  "[brackets]{braces}(a|b)",
  "star*query?",
  "-dash",
  "%20percent",
  `long-${"n".repeat(200)}`,
];

/** Bytes that do not compress to nothing, by a linear congruential generator. */
export function bytesOf(seed, length) {
  const bytes = Buffer.alloc(length);
  let state = seed + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = (state >>> 24) & (i & 64 ? 0xff : 0x0f);
  }
  return bytes;
}

/** Seconds since the epoch, a whole number, some before it. */
export const mtimeOf = (index) => 1_000_000_000 + index * 86_413 - (index % 5 === 4 ? 1_100_000_000 : 0);

/**
 * Makes `directories` × 25 files below `root`, and with `links` symbolic links (dangling and to directories too) and hard
 * links.
 */
export function makeTree(fs, root, { directories = 10, links = true } = {}) {
  fs.mkdirSync(root, { recursive: true });
  for (let d = 0; d < directories; d++) {
    const directory = join(root, `dir-${d}`, ...Array.from({ length: d % 4 }, (_, i) => `level-${i}`));
    fs.mkdirSync(directory, { recursive: true });
    for (const [i, name] of NAMES.entries())
      fs.writeFileSync(join(directory, name), bytesOf(d * 100 + i, ((i + 1) * 37 * (d + 1)) % 9000));
    for (let i = NAMES.length; i < 25; i++)
      fs.writeFileSync(join(directory, `file-${i}.${i % 2 ? "js" : "txt"}`), bytesOf(d + i, i * i * i));
    fs.mkdirSync(join(directory, "empty"));
    fs.chmodSync(join(directory, "plain.txt"), [0o600, 0o755, 0o444, 0o640][d % 4]);
    if (!links) continue;
    fs.symlinkSync("plain.txt", join(directory, "link"));
    fs.symlinkSync("../dir-0", join(directory, "link-to-directory"));
    fs.symlinkSync("nowhere/at/all", join(directory, "dangling"));
    fs.linkSync(join(directory, "plain.txt"), join(directory, "hard"));
  }
  fs.writeFileSync(join(root, "large.bin"), bytesOf(7, 300_000));
  fs.chmodSync(join(root, "dir-0", "empty"), 0o1777);
  setTimes(fs, root);
}

/** Gives all below `directory` a time of its own, by its place in the tree; a directory's after its entries'. */
export function setTimes(fs, directory) {
  let index = 0;
  const visit = (path) => {
    const stat = fs.lstatSync(path);
    if (stat.isDirectory()) for (const name of fs.readdirSync(path)) visit(join(path, name));
    const time = new Date(mtimeOf(index++) * 1000); // numbers below zero are "now" to Node
    fs.lutimesSync(path, time, time);
  };
  visit(directory);
}
