/**
 * Random programs on foliofs and on node:fs over a Linux tmpfs: every result and the final trees must be the same.
 *
 * fast-check shrinks what fails and prints its seed. Environment: FOLIO_RANDOM_MS is the time for all properties
 * together (10 s by default), FOLIO_SEED starts from a given seed, FOLIO_SELF=1 compares node:fs with itself,
 * FOLIO_HOSTFS=OPTIONS compares with a folder of the host, mounted with these options ("ttl=0"), FOLIO_SWAP=1 with a tmpfs whose pages
 * are all in a swap area before each call.
 */
import type fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { O_TMPFILE } from "../../src/base/stat-flags.ts";
import type { Subject } from "../helpers/subject.ts";
import { createFoliofsSubject, loadFoliofs } from "../helpers/subject-foliofs.ts";
import { createHostfsSubject } from "../helpers/subject-hostfs.ts";
import { createNodeFsSubject } from "../helpers/subject-node-fs.ts";
import { createSwappedSubject } from "../helpers/swapped-out.ts";
import { dataOperation } from "./random/data.ts";
import { namesOperation } from "./random/names.ts";
import { tryFor } from "./random/pair.ts";
import type { Operation } from "./random/program.ts";

const TOTAL_MS = Number(process.env.FOLIO_RANDOM_MS ?? 10_000);
const FIRST_SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);

let oracle: Subject;
let subject: Subject;

beforeAll(async () => {
  oracle = createNodeFsSubject();
  subject = await createSubject(oracle.root);
  console.log(`random programs: FOLIO_SEED=${FIRST_SEED}`);
});

async function createSubject(root: string): Promise<Subject> {
  if (process.env.FOLIO_SELF) return createNodeFsSubject();
  const foliofs = await loadFoliofs();
  if (process.env.FOLIO_SWAP) return createSwappedSubject(foliofs, root);
  if (!process.env.FOLIO_HOSTFS) return createFoliofsSubject(foliofs, root);
  return createHostfsSubject(foliofs, { base: "/dev/shm", data: process.env.FOLIO_HOSTFS, isHelped: true, root });
}

afterAll(() => {
  oracle?.dispose();
  subject?.dispose();
});

/** hostfs makes no file without a name, which could not be opened again. */
function isOfHostfs({ call, args }: Operation): boolean {
  return call !== "open" || (Number(args[0]) & O_TMPFILE) !== O_TMPFILE;
}

function tryAll(milliseconds: number, operation: fc.Arbitrary<Operation>, maxLength: number): void {
  const possible = process.env.FOLIO_HOSTFS ? operation.filter(isOfHostfs) : operation;
  tryFor({ oracle, subject }, milliseconds, possible, maxLength, FIRST_SEED);
}

describe("random programs", () => {
  it(
    "name, link, move and remove alike",
    () => tryAll(TOTAL_MS * 0.5, namesOperation({ asOthers: false }), 40),
    TOTAL_MS * 20,
  );
  it(
    "are allowed and forbidden the same",
    () => tryAll(TOTAL_MS * 0.2, namesOperation({ asOthers: true }), 25),
    TOTAL_MS * 20,
  );
  it("read and write alike", () => tryAll(TOTAL_MS * 0.3, dataOperation(), 40), TOTAL_MS * 20);
});
