/** The command line of the main job. */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { TreeError } from "./host-tree.ts";

/** File systems the job can load, in the order in which it does. */
export const TARGET_NAMES = ["foliofs", "memfs", "tmpfs"] as const;
/** One of TARGET_NAMES. */
export type TargetName = (typeof TARGET_NAMES)[number];

/** What --help prints. */
export const USAGE = `Usage: npm start -- [folder] [options]

Loads a folder (default: the project's node_modules) into foliofs, memfs and the host's tmpfs, reads everything back,
compares it with the host and prints what each of them took.

  --memory-limit SIZE   memory for foliofs, such as 512m or 2g (default: foliofs's own)
  --only NAMES          which of ${TARGET_NAMES.join(",")} to run
  --damage PATH         after loading, change a byte of this file in each target, to see the mismatch found
  --help`;

/** The arguments, checked. */
export interface Options {
  readonly folder: string;
  readonly targets: readonly TargetName[];
  /** Bytes. */
  readonly memoryLimit?: number;
  /** Path, below the folder, of the file to damage. */
  readonly damage?: string;
  readonly help: boolean;
}

const UNITS: Record<string, number> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmg]?)$/i.exec(text);
  if (match === null) throw new TreeError(`${text} is no size: write bytes, or a number with k, m or g.`);
  return Math.floor(Number(match[1]) * UNITS[match[2].toLowerCase()]);
}

function parseTargets(text: string): TargetName[] {
  const names = text.split(",");
  const known = TARGET_NAMES.filter((name) => names.includes(name));
  if (known.length !== names.length) throw new TreeError(`--only takes ${TARGET_NAMES.join(", ")}, not ${text}.`);
  return known;
}

/** Reads the arguments. @throws TreeError for what they may not be */
export function parseOptions(args: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        "memory-limit": { type: "string" },
        only: { type: "string" },
        damage: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    if (positionals.length > 1) throw new TreeError(`One folder at a time, not ${positionals.length}.`);
    const memoryLimit = values["memory-limit"];
    return {
      folder: positionals[0] ?? fileURLToPath(new URL("../node_modules", import.meta.url)),
      targets: values.only === undefined ? TARGET_NAMES : parseTargets(values.only),
      memoryLimit: memoryLimit === undefined ? undefined : parseSize(memoryLimit),
      damage: values.damage,
      help: values.help,
    };
  } catch (error) {
    throw error instanceof TreeError ? error : new TreeError((error as Error).message);
  }
}
