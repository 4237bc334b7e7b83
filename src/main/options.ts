/** The command line of the main job. */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { TreeError } from "./host-tree.ts";

/** File systems the job takes the tree through, in the order in which it does. */
export const TARGET_NAMES = ["foliofs", "memfs", "tmpfs", "hostfs", "swap", "layers"] as const;
/** One of TARGET_NAMES. */
export type TargetName = (typeof TARGET_NAMES)[number];

const DEFAULT_ROUNDS = 3;

/** What --help prints. */
export const USAGE = `Usage: npm start -- [folder] [options]

Loads a folder (default: the project's node_modules) into foliofs, memfs and the host's tmpfs, reads everything back,
compares it with the host and prints what each of them took, stage by stage: medians of some rounds. Then mounts the folder
in foliofs by hostfs, walks and reads it cold and warm, copies it into a temporary folder that is mounted as well, and compares
both with the host. Then it takes the tree through a tmpfs with swap, within 64 MiB. Last it lays fifty layers over the tree,
compares one with the host, changes files in each, and has each tell what it has changed.

  --memory-limit SIZE   memory for foliofs, hostfs and layers, such as 512m or 2g (default: foliofs's own)
  --only NAMES          which of ${TARGET_NAMES.join(",")} to run
  --rounds N            how often to run each of them (default: ${DEFAULT_ROUNDS})
  --damage PATH         after loading, change a byte of this file in each target (of hostfs: in the copy), to see the
                        mismatch found
  --help`;

/** The arguments, checked. */
export interface Options {
  readonly folder: string;
  readonly targets: readonly TargetName[];
  /** Bytes. */
  readonly memoryLimit?: number;
  /** At least 1. */
  readonly rounds: number;
  /** Path, below the folder, of the file to damage. */
  readonly damage?: string;
  /** Of a process that main.ts starts for one turn of a target. */
  readonly turn?: { readonly name: TargetName; readonly isFirst: boolean };
  readonly help: boolean;
}

const UNITS: Record<string, number> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmg]?)$/i.exec(text);
  if (match === null) throw new TreeError(`${text} is no size: write bytes, or a number with k, m or g.`);
  return Math.floor(Number(match[1]) * UNITS[match[2].toLowerCase()]);
}

function parseRounds(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new TreeError(`--rounds takes a number from 1 to 999, not ${text}.`);
  return Number(text);
}

function parseTurn(text: string): Options["turn"] {
  const [name, when] = text.split(":");
  return { name: name as TargetName, isFirst: when === "first" };
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
        rounds: { type: "string", default: String(DEFAULT_ROUNDS) },
        damage: { type: "string" },
        turn: { type: "string" }, // not for users
        help: { type: "boolean", default: false },
      },
    });
    if (positionals.length > 1) throw new TreeError(`One folder at a time, not ${positionals.length}.`);
    const memoryLimit = values["memory-limit"];
    return {
      folder: positionals[0] ?? fileURLToPath(new URL("../node_modules", import.meta.url)),
      targets: values.only === undefined ? TARGET_NAMES : parseTargets(values.only),
      memoryLimit: memoryLimit === undefined ? undefined : parseSize(memoryLimit),
      rounds: parseRounds(values.rounds),
      damage: values.damage,
      turn: values.turn === undefined ? undefined : parseTurn(values.turn),
      help: values.help,
    };
  } catch (error) {
    throw error instanceof TreeError ? error : new TreeError((error as Error).message);
  }
}
