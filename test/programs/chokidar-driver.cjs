/**
 * Has chokidar watch a tree, changes it, and prints what chokidar has told after each change.
 *
 *   node chokidar-driver.cjs PACKAGE host|foliofs FOLDER OPTIONS PATIENCE
 *
 * chokidar and what it stands on get foliofs in the place of `fs` and `fs/promises`.
 */
const Module = require("node:module");
const { join } = require("node:path");

const [name, which, root, optionsText, patience] = process.argv.slice(2);
const options = JSON.parse(optionsText);

/** When nothing has come for so long, all has: where it looks every so often, chokidar lists a directory once a second at most. */
const QUIET_MS = (options.usePolling ? 1300 : options.awaitWriteFinish ? 600 : 250) * patience;

const fs = which === "host" ? require("node:fs") : require("foliofs").createFsSync();

const load = Module._load;
const REPLACED = { fs, "fs/promises": fs.promises };
Module._load = function (request, ...rest) {
  const builtin = request.replace(/^node:/, "");
  return Object.hasOwn(REPLACED, builtin) ? REPLACED[builtin] : load.call(this, request, ...rest);
};
const { watch } = require(name);

const STEPS = [
  ["a new file", (fs) => fs.writeFileSync("a.txt", "text")],
  ["a change", (fs) => fs.appendFileSync("a.txt", "more")],
  ["a new directory", (fs) => fs.mkdirSync("new")],
  ["a file in it", (fs) => fs.writeFileSync("new/b.txt", "text")],
  ["a tree", (fs) => fs.mkdirSync("deep/er/est", { recursive: true })],
  ["a file at its end", (fs) => fs.writeFileSync("deep/er/est/c.txt", "text")],
  ["a rename of a file", (fs) => fs.renameSync("new/b.txt", "new/d.txt")],
  ["a rename of a directory", (fs) => fs.renameSync("new", "newer")],
  ["a file to replace it", (fs) => fs.writeFileSync("tmp", "other text")],
  ["a file replaced by a rename", (fs) => fs.renameSync("tmp", "a.txt")],
  ["times", (fs) => fs.utimesSync("a.txt", 1, 2)],
  ["a mode", (fs) => fs.chmodSync("a.txt", 0o600)],
  ["a link to a file", (fs) => fs.symlinkSync("a.txt", "link")],
  ["a link to a directory", (fs) => fs.symlinkSync("newer", "dirlink")],
  ["a change behind both", (fs) => fs.appendFileSync("newer/d.txt", "more")],
  ["a hard link", (fs) => fs.linkSync("a.txt", "hard")],
  ["an ignored file", (fs) => fs.writeFileSync("x.log", "text")],
  ["a file removed", (fs) => fs.unlinkSync("hard")],
  ["a tree removed", (fs) => fs.rmSync("deep", { recursive: true })],
  ["an empty file", (fs) => fs.writeFileSync("empty", "")],
  ["what was there from the start", (fs) => fs.rmSync("old", { recursive: true })],
];

function at(path) {
  return join(root, path);
}

/** Which arguments are paths below the root, where it is not the first alone. */
const PATH_ARGUMENTS = { renameSync: [0, 1], linkSync: [0, 1], symlinkSync: [1] };

/** The calls of steps, which name files below the root. */
function below(fs) {
  const call =
    (name) =>
    (...args) => {
      for (const i of PATH_ARGUMENTS[name] ?? [0]) args[i] = at(args[i]);
      return fs[name](...args);
    };
  return new Proxy({}, { get: (_target, name) => call(name) });
}

async function main() {
  fs.mkdirSync(at("old/older"), { recursive: true });
  fs.writeFileSync(at("old/older/file"), "text");
  const ignored = name === "chokidar3" ? "**/*.log" : (path) => path.endsWith(".log");
  const watcher = watch(root, { ...options, ignored });
  let told = [];
  let lastMs = Date.now();
  watcher.on("all", (event, path, stats) => {
    lastMs = Date.now();
    told.push(`${event} ${path.slice(root.length)} ${stats && typeof stats.size}`);
  });
  const quiet = async () => {
    lastMs = Date.now();
    while (Date.now() - lastMs < QUIET_MS) await new Promise((done) => setTimeout(done, 20));
    const all = told.sort(); // looks at several files are under way at once
    told = [];
    return all;
  };
  await new Promise((done) => watcher.on("ready", done));
  console.log(JSON.stringify(["ready", await quiet()]));
  for (const [name, step] of STEPS) {
    step(below(fs));
    console.log(JSON.stringify([name, await quiet()]));
  }
  await watcher.close();
}

main();
