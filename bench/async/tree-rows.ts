/** Streams of 64 MiB and of a million lines; trees of 5 000 files. Runs last 10 ms and more. */
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import type { Contender } from "./contender.ts";
import { check, type Row } from "./row.ts";

const MIB = 2 ** 20;
const NR_LINES = 1_000_000;
const NR_FILES = 5000;
const FILES_PER_DIRECTORY = 100;
const PAGE_BYTES = 4096;

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

export const TREE_ROWS: readonly Row[] = [
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
