/** Trees, paths and options at random. */
import type { Random } from "../../helpers/random.ts";
import type { Entry, Form, TreeCase } from "./scene.ts";

const NAMES = ["a", "b", "c", ".d"];
const MODES = [0o644, 0o600, 0o755, 0o444];
const MOST_DEPTH = 3;

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random(values.length)];
}

function randomPath(random: Random, most = MOST_DEPTH): string {
  return Array.from({ length: 1 + random(most) }, () => pick(random, NAMES)).join("/");
}

/** @param nrFifos 1 of so many entries is a fifo; 0 = none */
function fill(random: Random, below: string, depth: number, entries: Entry[], nrFifos: number): void {
  for (const name of NAMES) {
    const path = below + name;
    const kind = random(nrFifos > 0 && random(nrFifos) === 0 ? 6 : 5);
    if (kind === 1) entries.push(["f", path, `${path} ${random(100)}`, pick(random, MODES)]);
    else if (kind === 2) {
      const target = pick(random, ["", "../", "R/"]) + randomPath(random);
      entries.push(["l", path, target]);
    } else if (kind === 5) entries.push(["p", path]);
    else if (kind > 2 && depth < MOST_DEPTH) {
      entries.push(["d", path, pick(random, [0o755, 0o700, 0o555])]);
      fill(random, `${path}/`, depth + 1, entries, nrFifos);
    }
  }
}

export function randomTree(random: Random, nrFifos = 0): Entry[] {
  const entries: Entry[] = [];
  fill(random, "", 0, entries, nrFifos);
  return entries;
}

function randomOptions(random: Random): { [name: string]: boolean } | undefined {
  if (random(8) === 0) return undefined;
  const options: { [name: string]: boolean } = { recursive: random(6) > 0 };
  for (const name of ["errorOnExist", "force", "preserveTimestamps"]) {
    if (random(3) === 0) options[name] = random(2) === 0;
  }
  if (random(4) === 0) options[pick(random, ["dereference", "verbatimSymlinks"])] = true;
  return options;
}

/** A path with something at it, or any. Both with a slash at a file: which of two errors Node tells is chance. */
function somewhere(random: Random, tree: readonly Entry[], ends: readonly string[]): string {
  const path = tree.length > 0 && random(4) > 0 ? pick(random, tree)[1] : randomPath(random);
  return pick(random, ["", "", "", "./", "R/"]) + path + pick(random, ends);
}

export function randomCp(random: Random): TreeCase {
  const tree = randomTree(random, 30);
  const args = [somewhere(random, tree, [""]), somewhere(random, tree, ["", "", "", "/"])];
  const filter = random(4) === 0 ? pick(random, ["not b", "all", "throws at b", "one for yes"]) : undefined;
  const form = pick<Form>(random, ["sync", "callback", "promise"]);
  return { tree, call: "cp", form, args, options: randomOptions(random), filter };
}
