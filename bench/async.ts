/**
 * Streams and trees: foliofs, memfs and node:fs on tmpfs do the same, turn by turn in one process, which takes the first
 * place by turns; medians of the rounds. What is made for a row is not measured, nor is what is removed after it.
 *
 * Not measured: processes of their own for each contender, as bench/run.ts has them. Rows here last 10 ms and more.
 *
 * Usage: npm run bench:async -- [--rounds N]
 */
import { once } from "node:events";
import * as nodeFs from "node:fs";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { memfs } from "memfs";

type Fs = typeof nodeFs;

const MIB = 2 ** 20;
const NR_LINES = 1_000_000;
const NR_FILES = 5000;
const FILES_PER_DIRECTORY = 100;
const PAGE_BYTES = 4096;

interface Contender {
  readonly name: string;
  readonly fs: Fs;
  readonly root: string;
}

interface Row {
  readonly name: string;
  prepare(contender: Contender): void;
  /** @throws when it has not done all of it */
  run(contender: Contender): unknown;
}

function check(actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`${actual}, not ${expected}`);
}

function makeTree({ fs, root }: Contender): void {
  const data = Buffer.alloc(PAGE_BYTES, "x");
  for (let i = 0; i < NR_FILES; i++) {
    const directory = `${root}/tree/d${Math.floor(i / FILES_PER_DIRECTORY)}`;
    if (i % FILES_PER_DIRECTORY === 0) fs.mkdirSync(directory, { recursive: true });
    fs.writeFileSync(`${directory}/f${i}.${i % 2 === 0 ? "js" : "ts"}`, data);
  }
}

function countFiles({ fs, root }: Contender): number {
  return fs.readdirSync(root).reduce((sum, name) => sum + fs.readdirSync(`${root}/${name}`).length, 0);
}

const ROWS: readonly Row[] = [
  {
    name: "64 MiB through pipeline",
    prepare: ({ fs, root }) => fs.writeFileSync(`${root}/large`, Buffer.alloc(64 * MIB, "x")),
    async run({ fs, root }) {
      await pipeline(fs.createReadStream(`${root}/large`), fs.createWriteStream(`${root}/copy`));
      check(fs.statSync(`${root}/copy`).size, 64 * MIB);
    },
  },
  {
    name: "a million lines, readLines",
    prepare: ({ fs, root }) => fs.writeFileSync(`${root}/lines`, "a line of text\n".repeat(NR_LINES)),
    async run({ fs, root }) {
      const handle = await fs.promises.open(`${root}/lines`);
      let count = 0;
      const lines = handle.readLines();
      lines.on("line", () => count++);
      await once(lines, "close");
      check(count, NR_LINES);
    },
  },
  ...(["cpSync", "promises.cp"] as const).map(
    (form): Row => ({
      name: `${form}, 5 000 files of 4 KiB`,
      prepare: makeTree,
      async run(contender) {
        const { fs, root } = contender;
        if (form === "cpSync") fs.cpSync(`${root}/tree`, `${root}/new`, { recursive: true });
        else await fs.promises.cp(`${root}/tree`, `${root}/new`, { recursive: true });
        check(countFiles({ ...contender, root: `${root}/new` }), NR_FILES);
      },
    }),
  ),
  {
    name: "globSync **/*.js in 5 000 files",
    prepare: makeTree,
    run: ({ fs, root }) => check(fs.globSync("**/*.js", { cwd: `${root}/tree` }).length, NR_FILES / 2),
  },
];

async function contenders(): Promise<Contender[]> {
  const built = "../dist/index.js"; // what users get
  const { createFsSync } = await import(built);
  const tmpfs = nodeFs.mkdtempSync("/dev/shm/foliofs-bench-");
  process.on("exit", () => nodeFs.rmSync(tmpfs, { recursive: true, force: true }));
  return [
    { name: "foliofs", fs: createFsSync(), root: "/bench" },
    { name: "memfs", fs: memfs().fs as unknown as Fs, root: "/bench" },
    { name: "tmpfs", fs: nodeFs, root: `${tmpfs}/bench` },
  ];
}

/** @returns ms; undefined where the contender cannot do it */
async function timeOnce(row: Row, contender: Contender): Promise<number | undefined> {
  const { fs, root } = contender;
  fs.mkdirSync(root, { recursive: true });
  try {
    row.prepare(contender);
    const start = performance.now();
    await row.run(contender);
    return performance.now() - start;
  } catch (error) {
    if (!/is not a function|not implemented|Not implemented/.test(String(error))) throw error;
    return undefined;
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
  const all = await contenders();
  for (const row of ROWS) {
    const times = all.map((): (number | undefined)[] => []);
    for (let round = 0; round < Number(values.rounds); round++) {
      for (let turn = 0; turn < all.length; turn++) {
        const index = (round + turn) % all.length;
        times[index].push(await timeOnce(row, all[index]));
      }
    }
    const medians = times.map((of) => (of.includes(undefined) ? undefined : median(of as number[])));
    const own = medians[0] as number;
    const cells = medians.map((ms, i) =>
      ms === undefined ? `${all[i].name} –` : `${all[i].name} ${ms.toFixed(1)} ms (${(ms / own).toFixed(2)}×)`,
    );
    console.log(`${row.name.padEnd(36)} ${cells.join("   ")}`);
  }
}

await main();
