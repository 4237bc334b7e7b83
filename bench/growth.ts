/**
 * The growth bench: `node --import tsx bench/growth.ts`. Does anything cost more per call, or per file, when there is
 * more of it? One table for files, one for the length of a file. Exits with 1 when something bends upwards.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Contender, ContenderName } from "./contenders/contender.ts";
import { LOADERS } from "./contenders/index.ts";
import { growFiles } from "./growth/files.ts";
import { MemoryUse } from "./growth/memory.ts";
import { growReads } from "./growth/reads.ts";
import { bendOf, complaintOf, renderSeries, type Series } from "./growth/series.ts";
import { respawnWithFlags } from "./respawn.ts";

const FILES = [1000, 10_000, 100_000, 1_000_000];
const MEBIBYTES = [1, 16, 256, 1024];

const HELP = `Shows what grows with the number of files and with their length, foliofs alone.

  node --import tsx bench/growth.ts [options]

  --quick              up to 100 000 files and 256 MiB
  --json <file>        default bench/results/growth-node<version>.json, for full runs
  --contender <name>   another of ${Object.keys(LOADERS).join(", ")}, to compare
  --help               this text
`;

const { values: args } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    contender: { type: "string", default: "foliofs" },
    help: { type: "boolean", default: false },
  },
});
if (args.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  respawnWithFlags();
  const contender = await load(args.contender);
  console.error(`${contender.name}  ${contender.origin}`);
  warmUp(contender);
  const sizes = args.quick ? FILES.slice(0, -1) : FILES;
  const sizesMib = args.quick ? MEBIBYTES.slice(0, -1) : MEBIBYTES;
  const files = onSubject(contender, (subject) => {
    const complaint = new MemoryUse(subject).complaint();
    if (complaint !== "") console.error(complaint);
    return growFiles(subject, sizes, (nrFiles) => console.error(`growing to ${nrFiles} files`));
  });
  const reads = onSubject(contender, (subject) =>
    growReads(subject, sizesMib, (mib) => console.error(`growing a file to ${mib} MiB`)),
  );
  console.log(`\nNode ${process.versions.node}, lower quartiles; bend: the last column divided by the first\n`);
  console.log(
    renderSeries(
      "files",
      sizes.map((size) => size.toLocaleString("en").replaceAll(",", " ")),
      files,
    ),
  );
  console.log(
    `\n${renderSeries(
      "length of the file",
      sizesMib.map((mib) => `${mib} MiB`),
      reads,
    )}`,
  );
  saveJson(contender, { sizes, files, sizesMib, reads });
  if ([...files, ...reads].some((series) => complaintOf(series) !== "")) process.exitCode = 1;
}

/** Exits with a sentence when there is no such contender here. */
async function load(name: string): Promise<Contender> {
  try {
    if (!Object.hasOwn(LOADERS, name)) throw new Error("no contender is called that");
    return await LOADERS[name as ContenderName]();
  } catch (error) {
    console.error(`${name} cannot run: ${(error as Error).message}`);
    process.exit(2);
  }
}

/** Runs everything once at the smallest size, so that it is compiled before the first column is measured. */
function warmUp(contender: Contender): void {
  onSubject(contender, (subject) => growFiles(subject, [FILES[0] * 2], () => {}));
  onSubject(contender, (subject) => growReads(subject, [MEBIBYTES[0]], () => {}));
}

function onSubject<T>(contender: Contender, use: (subject: ReturnType<Contender["create"]>) => T): T {
  const subject = contender.create(true);
  try {
    return use(subject);
  } finally {
    subject.dispose();
    globalThis.gc?.();
  }
}

function saveJson(
  contender: Contender,
  tables: { files: Series[]; reads: Series[]; sizes: number[]; sizesMib: number[] },
): void {
  const major = process.versions.node.split(".")[0];
  const usual = fileURLToPath(new URL(`results/growth-node${major}.json`, import.meta.url));
  const isUsual = !args.quick && contender.name === "foliofs";
  const file = args.json ?? (isUsual ? usual : undefined);
  if (file === undefined) return;
  const withBend = (series: Series) => ({ ...series, bend: bendOf(series), complaint: complaintOf(series) });
  const head = { date: new Date().toISOString(), node: process.versions.node, contender: contender.name };
  const content = { ...head, ...tables, files: tables.files.map(withBend), reads: tables.reads.map(withBend) };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 1)}\n`);
  console.error(`wrote ${file}`);
}
