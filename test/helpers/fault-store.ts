/**
 * The store of the fuzzer, where a plan has calls fail by their numbers, and whoever tests says which of those that wait is answered next.
 * Synchronous calls are answered at once; what is written is safe.
 *
 * Does not own: the store (held-store.ts), what is asked of it (fault-run.ts), what has to come of a fault.
 */
import { Disk, type DiskNode, ROOT_INO } from "../../src/fuzz/schedule/disk.ts";
import { HeldStore, type StoreCall, type StoreFault } from "../../src/fuzz/schedule/held-store.ts";

/** A call of the store that a fault has come to. */
export interface Failure extends StoreCall {
  /** The entry of the root that it is about, or lies below. */
  readonly owner: number;
  readonly fault: StoreFault;
  /** Calls that had been made when it was answered. */
  readonly nrCalls: number;
}

/** It knows below which entry of the root each node was made. */
class OwnedDisk extends Disk {
  readonly owners = new Map<number, number>();

  override make(parent: number, name: string, mode: number): number {
    const ino = super.make(parent, name, mode);
    this.owners.set(ino, this.owners.get(parent) ?? ino);
    return ino;
  }
}

export class FaultStore extends HeldStore {
  /** What answers each call that waits. */
  readonly waiting: (() => void)[] = [];
  readonly failures: Failure[] = [];
  /** Which calls fail. */
  plan: (nr: number, operation: string) => StoreFault | undefined = () => undefined;
  readonly #owners: ReadonlyMap<number, number>;

  constructor(disk = new OwnedDisk({ hasCache: false })) {
    const hold = () => new Promise<void>((resolve) => this.waiting.push(resolve));
    super({ hold, hasSyncHalf: true, plan: (call) => this.#faultOf(call) }, disk);
    this.#owners = disk.owners;
    this.isQuick = false;
  }

  /** Answers the waiting call of a number. */
  answer(number: number): void {
    this.waiting.splice(number, 1)[0]();
  }

  /** @param path from the root, without a slash before */
  at(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.disk.node(ROOT_INO);
    for (const name of path.split("/")) node = this.disk.nodes.get(node?.children?.get(name) ?? 0);
    return node;
  }

  #faultOf(call: StoreCall): StoreFault | undefined {
    const { nr, operation, ino, start, end } = call;
    const fault = this.plan(nr, operation);
    const canBeShort = operation === "writePages" && end - start > 1;
    if (fault === undefined || (fault === "short" && !canBeShort)) return undefined;
    this.failures.push({ ...call, owner: this.#owners.get(ino) ?? ROOT_INO, fault, nrCalls: this.calls.length });
    return fault;
  }
}
