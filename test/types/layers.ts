/**
 * What the compiler must know of layers: `npx tsc --noEmit` is the test.
 */
import type { FolioKernel } from "../../src/index.ts";
import type { Layer, LayerUsage, TreeChange } from "../../src/layers.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function isExactly<Expected>() {
  return <Actual>(_value: Actual, ..._same: Equal<Actual, Expected> extends true ? [] : [never]): void => {};
}

declare const kernel: FolioKernel;

export async function checkLayers(): Promise<void> {
  const layer = kernel.layer({ lower: ["/a", "/b"], target: "/m", size: "64m", nr_inodes: 100, metacopy: true });
  isExactly<Layer>()(layer);
  isExactly<string>()(layer.target);
  isExactly<LayerUsage>()(layer.usage());
  isExactly<void>()(layer.commit());
  isExactly<void>()(layer.reset());
  isExactly<void>()(layer.drop());
  isExactly<Layer>()(layer.fork("/n", { size: 1024 }));
  isExactly<Uint8Array>()(layer.save());
  isExactly<Uint8Array>()(layer.saveTar({ format: "oci" }));
  isExactly<TreeChange[]>()(layer.diff());
  isExactly<TreeChange[]>()(await layer.diffAsync());
  isExactly<Layer>()(kernel.load(layer.save(), { lower: "/a", target: "/m" }));
  isExactly<Layer>()(kernel.loadTar(layer.saveTar(), { lower: "/a", target: "/m", format: "overlay" }));
  // @ts-expect-error a commit takes nothing
  layer.commit("/b");
  // @ts-expect-error a layer is over something
  kernel.layer({ target: "/m" });
  // @ts-expect-error "on" is an option of mount()
  kernel.layer({ lower: "/a", target: "/m", metacopy: "on" });
  // @ts-expect-error there is no such form
  layer.saveTar({ format: "zip" });
}
