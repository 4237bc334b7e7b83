/** Cases of glob: patterns by hand over one tree, options, wrong arguments; and all of it at random. */
import type { Random } from "../../helpers/random.ts";
import { combinations } from "../combine.ts";
import { randomTree } from "./random-cp.ts";
import type { Entry, Form, TreeCase } from "./scene.ts";

const TREE: readonly Entry[] = [
  ...["a", "a/b", "a/b/c", "a/.h", "a/.h/x", "d", "d2", "d2/a", "d2/a/b", "e", ".dot", ".dot/q"].map(
    (path): Entry => ["d", path],
  ),
  ...["f.js", "f.ts", "a/f.js", "a/b/g.js", "a/b/c/h.ts", "a/.h/i.js", ".dot/j.js", ".env", "d/k"].map(
    (path): Entry => ["f", path, ""],
  ),
  ...["d2/a/b/l.js", "[x].js", "a b.js"].map((path): Entry => ["f", path, ""]),
  ["l", "la", "a"],
  ["l", "d/la", "../a"],
  ["l", "lf", "f.js"],
  ["l", "ln", "nothing"],
  ["l", "a/b/up", ".."],
];

const PATTERNS = (
  "* ** **/* *.js **/*.js a/** a/**/ a/**/*.js ./*.js ./a/* a/../*.js */ */* **/b/** **/b a/b a nothing f.js/ f.js/x " +
  "f.js/** la/ la la/* la/** */la/* */la **/la **/la/* l*/ l*/* l*/** */** {a,d}/* {a,d}/**/*.{js,ts} !a a/!(f*) [[]x].js " +
  "\\[x].js a?b.js R/*.js R/a/** R/** R /  // **/.* **/.*/** .* a/.h/** .dot/** **/c/.. **/.. a/./b a//b a/*/../f.js **/**/c " +
  "**/up/* **/up +(a|d) @(a)/** ln lf **/ln l* */b/* d2/**/l.js **/a/**/l.js a/b/c/../../*.js .. . ./ ./**/c **/./c a/**/.. " +
  "**/{b,c} f.{js,ts} a*/**/h* */*/* */*/** **/*/** **/*/b a/**/b/** #a nothing/** nothing/* a/../a a/.. a/../.. */.. */. " +
  "**/. a/b/up/* a/b/up/** d/la/b/* d/la/../* la/../* [a-d] [!a]* ?"
)
  .split(" ")
  .filter(Boolean);

type Row = readonly [patterns: unknown, options?: { readonly [name: string]: unknown }, exclude?: string];

const OPTIONS: readonly Row[] = [
  ["**/*.js", undefined, "is b"],
  ["**/*.js", { withFileTypes: true }, "is b"],
  ["**", undefined, "is b"],
  ["**/*.js", { exclude: ["a/**", "*x*"] }],
  ["**", { exclude: ["a"] }],
  ["**", { exclude: ["a/"] }],
  ["**", { exclude: ["./a"] }],
  ["**", { exclude: ["R/a"] }],
  ["**/*", { exclude: ["**/b"] }],
  ["**/*", { exclude: ["**/b/**"] }],
  ["a/b/*", { exclude: ["**/*.js"] }],
  ["R/*", { exclude: ["*.js"] }],
  ["*.js", { cwd: "a", exclude: ["f.js"] }],
  ["*", { withFileTypes: true, exclude: ["a"] }],
  [["*.js", "f.*", "*.js"]],
  [[]],
  [["a/**", "**/b"]],
  ["*.js", { cwd: "a" }],
  ["**/*.js", { cwd: "R/a" }],
  ["**", { cwd: "la" }],
  ["*", { cwd: "nothing" }],
  ["*", { cwd: "" }],
  ["*", { cwd: null }],
  ["../*", { cwd: "a" }],
  ["**/*.js", { cwd: "d", followSymlinks: true }],
  ["**", { followSymlinks: true }],
  ["*/*", { followSymlinks: true }],
  ["a/b/**", { followSymlinks: true }],
  ["*", { withFileTypes: 1 }],
];

/** Entries for `.` and for paths that end in `..` are left out: Node's own are made in several ways. */
const TYPED = PATTERNS.filter((pattern) => !/\.\.|\*\*|^\/|^R$|\.$|\/$/.test(pattern)).map(
  (pattern): Row => [pattern, { withFileTypes: true }],
);

const WRONG: readonly Row[] = [
  ...[1, null, {}, [1], ["*", 2], true].map((patterns): Row => [patterns]),
  ...[
    { cwd: 1 },
    { exclude: 1 },
    { exclude: "a" },
    { exclude: [1] },
    { followSymlinks: 1 },
    { cwd: 1, exclude: 1 },
  ].map((options): Row => ["*.ts", options]),
];

/** Any two values of two options meet. */
const COMBINED: readonly Row[] = combinations({
  cwd: ["a", "R/a", "nothing"],
  withFileTypes: [true, false],
  exclude: [["*.js"], ["b"]],
  followSymlinks: [true, false],
}).flatMap((make) => ["*", "*.js", "*/*"].map((pattern): Row => [pattern, make()]));

const FORMS: readonly Form[] = ["sync", "callback", "promise"];

function toCases([patterns, options, filter]: Row): TreeCase[] {
  return FORMS.map((form) => ({ tree: TREE, call: "glob", form, args: [patterns], options, filter }));
}

export const GLOB_CASES: readonly TreeCase[] = [
  ...PATTERNS.map((pattern): Row => [pattern]),
  ...OPTIONS,
  ...TYPED,
  ...WRONG,
  ...COMBINED,
].flatMap(toCases);

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random(values.length)];
}

const PARTS = ["*", "*", "**", "**", "a", "b", "c", ".d", "?", "[ab]", "{a,c}", ".*", "!(a)", ".", ".."];

/**
 * Left out is where Node's answers hang on what else is asked for, or are its own: a dot or a slash at the end, a name between
 * two `**`; and what lies above the root, which is not the same on both sides: at most one `..`, behind something that it
 * can take back.
 */
function isAskable(parts: readonly string[]): boolean {
  if (parts[parts.length - 1] === "." || /\*\*\/[^*]+\/\*\*/.test(parts.join("/"))) return false;
  const up = parts.indexOf("..");
  return up < 0 || (up > 0 && up === parts.lastIndexOf("..") && ![".", "**", ".d"].includes(parts[up - 1]));
}

function randomPattern(random: Random, most = 4): string {
  const parts = Array.from({ length: 1 + random(most) }, () => pick(random, PARTS));
  return isAskable(parts) ? pick(random, ["", "", "", "./", "R/"]) + parts.join("/") : randomPattern(random, most);
}

const EXCLUDED = ["a", "**/b", "a/**", "*/a", ".d", "**/.d", "R/b", "./c", "{a,b}/c", "*/*/*"];

export function randomGlob(random: Random): TreeCase {
  const patterns = Array.from({ length: 1 + random(2) }, () => randomPattern(random));
  const options: { [name: string]: unknown } = {};
  if (random(4) === 0) options.cwd = pick(random, ["a", "R/a", "."]);
  if (random(4) === 0) options.exclude = [pick(random, EXCLUDED)];
  const args = [patterns.length === 1 ? patterns[0] : patterns];
  // Which links Node follows behind `**` hangs on the other patterns; those of the table are by hand.
  const tree = randomTree(random).filter(([kind, path]) => kind !== "l" && path !== "a");
  if (!tree.some(([, path]) => path.startsWith("a/"))) tree.push(["f", "a/only", ""]);
  tree.unshift(["d", "a"]);
  return { tree, call: "glob", form: pick(random, FORMS), args, options };
}
