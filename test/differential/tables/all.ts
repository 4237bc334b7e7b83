/** The whole table. */
import type { Case } from "../case.ts";
import { ARGUMENT_CASES } from "./arguments.ts";
import { DESCRIPTOR_CASES } from "./descriptors.ts";
import { ONE_PATH_CASES } from "./one-path.ts";
import { OPTION_CASES } from "./options.ts";
import { TWO_PATH_CASES } from "./two-paths.ts";

/** Tables overlap in places; an id says all that there is to a case, so the first one of a kind will do. */
function unique(cases: readonly Case[]): readonly Case[] {
  return [...new Map(cases.map((test) => [test.id, test])).values()];
}

export const TABLES: Readonly<Record<string, readonly Case[]>> = {
  "one path": unique(ONE_PATH_CASES),
  "two paths": unique(TWO_PATH_CASES),
  options: unique(OPTION_CASES),
  descriptors: unique(DESCRIPTOR_CASES),
  arguments: unique(ARGUMENT_CASES),
};

export const ALL_CASES: readonly Case[] = Object.values(TABLES).flat();
