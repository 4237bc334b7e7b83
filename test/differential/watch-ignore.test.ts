/**
 * Patterns of the `ignore` option of watchers match what they match in Node, each with each name. Node's own matcher is an internal
 * of it, which a process of its own is asked for; in a Node that has none, nothing is compared.
 */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { describe, it } from "vitest";
import "../../src/index.ts"; // which brings minimatch
import { compilePattern } from "../../src/index-watch.ts";
import { ignoreMatcher } from "../../src/node/watch/ignore.ts";
import { type Random, seededRandom } from "../helpers/random.ts";

const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
const NR_RANDOM = 300;

const PATTERNS = [
  ..."*.log|**/x|!a|#a|a|a/|/a|a/b|a/*|a/**|**|**/|*/x|?|??|[ab]|[!a]|[a-c]*|{a,b}|{a,b}/*|*.{log,txt}|.*|.|..|*".split(
    "|",
  ),
  ..."a\\b|\\*|a\\/b|@(a|b)|!(a)|+(a)|*(a)|?(a)b|a/../b|./a|../a|**/.x|.x/**|[[:alpha:]]|[|{a|ü|*.ü|a//b| |A|**/a/**/x|x/**/x".split(
    "|",
  ),
];
const NAMES = [
  ..."a|b|x|ab|A|!a|#a|a.log|.log|x.log|.x|a/b|a/x|a/.x|x/a|a/b/x|x/x|x/a/x|.x/a|a/a.log|a\\b|*|[|{a|ü|a.ü| |a.txt|a/b.txt".split(
    "|",
  ),
];
/** What random patterns and names are made of. */
const PIECES = ["a", "b", "x", ".", "/", "*", "**", "?", "!", "{a,b}", "[ab]", "[!b]", "@(a|x)", ".log", "\\"];
const NAME_PIECES = ["a", "b", "x", ".", "/", ".log", "!"];

const NODE_MATCHES = `
const { createIgnoreMatcher } = require("internal/fs/watchers");
const [patterns, names] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const tried = (call) => { try { return call(); } catch (error) { return error.name; } };
console.log(JSON.stringify(createIgnoreMatcher && patterns.map((pattern) => {
  const matches = tried(() => createIgnoreMatcher(pattern));
  return typeof matches === "function" ? names.map((name) => tried(() => matches(name))) : matches;
})));
`;

/** What Node's matcher says of each pattern, name by name; undefined where it has none. */
function askNode(patterns: readonly string[], names: readonly string[]): unknown[] | undefined {
  const input = JSON.stringify([patterns, names]);
  const { stdout } = spawnSync(process.execPath, ["--expose-internals", "-e", NODE_MATCHES], {
    input,
    encoding: "utf8",
  });
  return stdout.startsWith("[") ? (JSON.parse(stdout) as unknown[]) : undefined;
}

/** What foliofs says. */
function ask(patterns: readonly string[], names: readonly string[]): unknown[] {
  return patterns.map((pattern) => {
    const matches = tried(() => ignoreMatcher(pattern, compilePattern));
    return typeof matches === "function" ? names.map((name) => tried(() => matches(name))) : matches;
  });
}

function tried<T>(call: () => T): T | string {
  try {
    return call();
  } catch (error) {
    return (error as Error).name;
  }
}

function differences(patterns: readonly string[], names: readonly string[]): string[] {
  const [ours, theirs] = [ask(patterns, names), askNode(patterns, names)].map((all) =>
    all?.flatMap((said, i) =>
      names.map((name, j) => `${patterns[i]} ${name}: ${Array.isArray(said) ? said[j] : said}`),
    ),
  );
  return ours?.filter((said, i) => said !== theirs?.[i]) ?? [];
}

function made(random: Random, pieces: readonly string[]): string {
  let text = "";
  for (let left = 1 + random(5); left > 0; left--) text += pieces[random(pieces.length)];
  return text;
}

const isKnown = askNode(["a"], ["a"]) !== undefined;

describe.skipIf(!isKnown)("patterns to ignore match what they match in Node", () => {
  it("one by one", () => {
    const said = ask(PATTERNS, NAMES).flat();
    assert(said.includes(true) && said.includes(false));
    assert.deepEqual(differences(PATTERNS, NAMES), []);
  });

  it("made up at random", () => {
    console.log(`patterns to ignore: FOLIO_SEED=${SEED}`);
    const random = seededRandom(SEED);
    const patterns = Array.from({ length: NR_RANDOM }, () => made(random, PIECES));
    const names = Array.from({ length: NR_RANDOM }, () => made(random, NAME_PIECES));
    assert.deepEqual(differences(patterns, names), []);
  });
});
