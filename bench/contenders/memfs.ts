/** memfs: a volume of its own for every subject. */

import type { BenchFs, Contender } from "./contender.ts";
import { versionOf } from "./version-of.ts";

export async function loadMemfs(): Promise<Contender> {
  const { createFsFromVolume, Volume } = await import("memfs");
  return {
    name: "memfs",
    origin: `memfs ${versionOf("memfs")}`,
    create() {
      const volume = new Volume();
      return { fs: createFsFromVolume(volume) as unknown as BenchFs, root: "", dispose: () => volume.reset() };
    },
  };
}
