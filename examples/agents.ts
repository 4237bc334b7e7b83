/** Fifty agents work on one tree: each sees its own changes, within its own limits; they are looked at, one is kept, and the others are thrown away. */
import { strict as assert } from "node:assert";
import { createFsSync, type FolioFs } from "foliofs";
import type { Layer, TreeChange } from "foliofs/layers";
import "foliofs/layers";

const NR_AGENTS = 50;
const AGENTS_GID = 500;

// A tree that belongs to the group of all agents: set-group-id directories pass the group on.
const fs = createFsSync({ memoryLimit: 128 * 2 ** 20, umask: 0o002 });
for (const dir of ["/base", "/agents"]) fs.mkdirSync(dir);
fs.chownSync("/base", 0, AGENTS_GID);
fs.chmodSync("/base", 0o2775);
fs.fromJSON(
  {
    "package.json": '{ "name": "app" }\n',
    "src/main.ts": 'import { add } from "./add.ts";\nconsole.log(add(1, 2));\n',
    "src/add.ts": "export const add = (a: number, b: number) => a - b;\n",
    "test/add.test.ts": "add(1, 2) === 3;\n",
    "data/big.bin": "0123456789abcdef".repeat(2 ** 16), // 1 MiB, which no layer has a copy of
  },
  "/base",
);

interface Agent {
  readonly layer: Layer;
  /** What it works with: its own user, and a root from which no path leads out. */
  readonly fs: FolioFs;
}

function createAgent(nr: number): Agent {
  const target = `/agents/${nr}`;
  fs.mkdirSync(target);
  const layer = fs.kernel.layer({ lower: "/base", target, size: "256k", nr_inodes: 40 });
  return { layer, fs: fs.kernel.task({ root: target, cwd: "/", uid: 1000 + nr, gid: AGENTS_GID, umask: 0o002 }) };
}

const before = fs.kernel.usage().memory;
const agents = Array.from({ length: NR_AGENTS }, (_, nr) => createAgent(nr));
(fs.kernel.usage().memory - before) / NR_AGENTS < 32 * 2 ** 10; // → true

/** What each of them does: what a model has written would stand here. */
function work({ fs: own }: Agent, nr: number): void {
  own.writeFileSync(`/notes-${nr}.md`, `agent ${nr} was here\n`);
  own.appendFileSync("/src/main.ts", `// ${nr}\n`);
  own.mkdirSync("/build");
  own.renameSync("/test/add.test.ts", "/src/add.test.ts");
  if (nr % 10 === 3) own.writeFileSync("/src/add.ts", "export const add = (a: number, b: number) => a + b;\n");
  if (nr % 10 === 4) own.rmSync("/data", { recursive: true });
}

for (const [nr, agent] of agents.entries()) work(agent, nr);
fs.readdirSync("/base"); // → ["data", "package.json", "src", "test"]
agents[7].fs.readdirSync("/../../.."); // → ["build", "data", "notes-7.md", "package.json", "src", "test"]
agents[7].fs.existsSync("/notes-8.md"); // → false
fs.statSync("/agents/7/notes-7.md").uid; // → 1007
agents[7].layer.usage().bytes; // → 8192

// A byte within a large file costs a page.
const [some] = agents;
const fd = some.fs.openSync("/data/big.bin", "r+");
some.fs.writeSync(fd, "X", 500_000);
some.fs.closeSync(fd);
some.layer.usage().bytes; // → 12288

// Limits hold each by itself.
const [, greedy, busy] = agents;
greedy.fs.writeFileSync("/build/out", Buffer.alloc(300 * 2 ** 10)); // throws ENOSPC
assert.throws(
  () => {
    for (let i = 0; ; i++) busy.fs.writeFileSync(`/build/${i}`, "");
  },
  { code: "ENOSPC" },
);
busy.layer.usage().inodes; // → 40
greedy.fs.readFileSync("/src/add.ts", "utf8"); // → "export const add = (a: number, b: number) => a - b;\n"

/** Changes as lines, without what differs in its time only. */
function shown(changes: readonly TreeChange[]): string[] {
  return changes
    .filter(({ changed }) => changed?.join() !== "times")
    .map(({ kind, path, from }) => (from === undefined ? `${kind} ${path}` : `${kind} ${path} (${from})`));
}

// What has an agent done?
const done = shown(agents[3].layer.diff());
console.log(done.join("\n"));
done; // → ["added build", "added notes-3.md", "renamed src/add.test.ts (test/add.test.ts)", "modified src/add.ts", "modified src/main.ts"]
const removed = agents[4].layer.diff().filter(({ kind }) => kind === "removed");
removed.map(({ path }) => path); // → ["data", "data/big.bin"]

// Two that have been told the same differ in what is not the same.
const apart = fs.kernel.diff("/agents/3", "/agents/13");
shown(apart); // → ["modified build", "added notes-13.md", "removed notes-3.md", "modified src/main.ts"]
apart.find(({ path }) => path === "build")?.changed?.includes("owner"); // → true

// What one has done right becomes the tree: the others see it wherever they have changed nothing.
agents[3].layer.commit();
fs.readFileSync("/base/src/add.ts", "utf8"); // → "export const add = (a: number, b: number) => a + b;\n"
agents[3].layer.usage().bytes; // → 0
agents[7].fs.readFileSync("/src/add.ts", "utf8"); // → "export const add = (a: number, b: number) => a + b;\n"
agents[7].fs.readFileSync("/src/main.ts", "utf8").endsWith("// 7\n"); // → true

// Thrown away, all but a few: nothing is left of them.
for (const { fs: own, layer } of agents.splice(4)) {
  fs.kernel.exit(own);
  layer.drop();
}
fs.readdirSync("/agents/7"); // → []
agents[3].fs.readFileSync("/src/main.ts", "utf8").endsWith("// 3\n"); // → true
