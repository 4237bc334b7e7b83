/** Vitest: a file system of one's own against the suites that foliofs's have to pass. Here memfs is the one. */
import { conformance } from "foliofs/testing/conformance";
import { createFsFromVolume, Volume } from "memfs";
import { describe, it } from "vitest";
import { ENDLESS, KNOWN } from "./memfs-known.mjs";

function create() {
  const volume = new Volume();
  volume.mkdirSync("/work");
  return { fs: createFsFromVolume(volume), root: "/work" };
}

conformance(create, { describe, it }, { skipped: ENDLESS, known: KNOWN });
