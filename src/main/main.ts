/**
 * The main job, `npm start [folder]`: loads a real tree from disk into foliofs, memfs and the host's tmpfs, reads
 * everything back, compares it with the host, mounts the tree itself by hostfs, takes it through 64 MiB with swap, and prints one
 * table. Ends with status 1 when anything differs.
 */
import { resolve } from "node:path";
import { type HostTree, scanTree, TreeError } from "./host-tree.ts";
import { type Options, parseOptions, type TargetName, USAGE } from "./options.ts";
import { type Result, renderMismatches, renderReport } from "./report.ts";
import type { Facts, Round, StageName } from "./run-target.ts";
import { pageFaultSeconds, type Sample } from "./sample.ts";
import { isSkip, type Skip } from "./target.ts";
import { forkTurn, sendTurn } from "./turn.ts";

/** @throws TreeError when there is no such file to damage */
function checkDamage(tree: HostTree, path: string | undefined): void {
  if (path === undefined || tree.entries.some((entry) => entry.path === path && entry.kind === "file")) return;
  throw new TreeError(`There is no file ${path} in the tree to damage.`);
}

/** All turns of the targets so far. */
class Turns {
  readonly skips: Skip[] = [];
  readonly #samples = new Map<TargetName, Map<StageName, Sample[]>>();
  readonly #facts = new Map<TargetName, Facts>();

  add(name: TargetName, outcome: Round | Skip): void {
    if (isSkip(outcome)) {
      this.skips.push(outcome);
      return;
    }
    const all = this.#samples.get(name) ?? new Map<StageName, Sample[]>();
    for (const [stage, taken] of outcome.samples) all.set(stage, [...(all.get(stage) ?? []), taken]);
    this.#samples.set(name, all);
    if (outcome.facts !== undefined) this.#facts.set(name, outcome.facts);
  }

  get results(): Result[] {
    return [...this.#facts].map(([name, facts]) => ({ name, ...facts, samples: this.#samples.get(name) ?? new Map() }));
  }
}

/** The targets take turns, so that a slow minute of the machine is everybody's. */
async function takeTurns({ rounds, targets }: Options, args: readonly string[]): Promise<Turns> {
  const turns = new Turns();
  for (let round = 0; round < rounds; round++) {
    if (round > 0) console.error(`again, round ${round + 1} of ${rounds}`);
    for (const name of targets) {
      if (turns.skips.some((skip) => skip.name === name)) continue;
      turns.add(name, await forkTurn(name, round === 0, args));
    }
  }
  return turns;
}

async function run(options: Options, args: readonly string[]): Promise<Result[]> {
  const tree = scanTree(resolve(options.folder));
  checkDamage(tree, options.damage);
  const { results, skips } = await takeTurns(options, args);
  console.log(`${tree.root}\n${renderReport(tree, results, skips, pageFaultSeconds())}`);
  return results;
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) {
    console.log(USAGE);
    return;
  }
  process.umask(0); // modes are set as they are on the host
  if (options.turn !== undefined) {
    sendTurn(options.turn.name, options);
    return;
  }
  const mismatches = renderMismatches(await run(options, args));
  if (mismatches === "") return;
  console.error(mismatches);
  process.exitCode = 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof TreeError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
