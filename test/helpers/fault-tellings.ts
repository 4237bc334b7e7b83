/**
 * Faults of a host, and who has been told of each: the call that it happened to, once; whoever syncs, where what a call had
 * left behind could not be written back.
 *
 * A fault that nobody was told of is excused by what has happened around it alone, never by the name of what has failed.
 */
import type { AskedCall, HostCallName } from "./scheduled-host.ts";

/** A call of the program, from its start to its end. */
export interface Owner {
  readonly what: string;
  /** It tells what was written before. */
  readonly isSync?: boolean;
  /** Of a sync: calls of the host that had been made when it began. */
  readonly since?: number;
  /** Nobody waits for it any more. */
  isAborted?: boolean;
  /** Failures that have been counted, since nobody was there to be told (vmstat end_failed). */
  nrCounted?: number;
}

interface Fault {
  readonly call: AskedCall;
  readonly code: string;
  /** Whose call it is; undefined = it may be anybody's. */
  readonly owner: Owner | undefined;
  /** Whose file it is about; likewise. */
  readonly chain: number | undefined;
  /** In which of the mounts that follow each other. */
  readonly mount: number;
}

interface Telling {
  readonly code: string;
  /** Calls of the host that had been made by then. */
  readonly at: number;
  readonly by: Owner;
  /** Undefined: who has told it has done so for all. */
  readonly chain: number | undefined;
  /** fsync, syncfs or umount has told it: what was written before. */
  readonly isSync: boolean;
}

const LOOKS: readonly HostCallName[] = ["fstat", "lstat", "stat"];
const SYNCS: readonly HostCallName[] = ["fsync", "fdatasync"];
/** More calls than the host is asked for between two ticks of its clock. */
const CALLS_PER_TICK = 20;
/** What hostfs looks at a file around, to know whether somebody else has changed it. */
const EFFECTS: readonly HostCallName[] = ["writev", "ftruncate", "fchmod", "unlink", "rename"];

export class FaultTellings {
  readonly faults: Fault[] = [];
  readonly #told: Telling[] = [];
  readonly #calls: readonly AskedCall[];
  /** By the number of a call. */
  readonly #owners = new Map<number, Owner>();
  readonly #cache: string;
  #mount = 0;

  constructor(cache: string, calls: readonly AskedCall[]) {
    this.#cache = cache;
    this.#calls = calls;
  }

  /** Notes whose a call is. */
  own(call: AskedCall, owner: Owner | undefined): void {
    if (owner) this.#owners.set(call.nr, owner);
  }

  /** What comes from now on is another mount's. */
  nextMount(): void {
    this.#mount++;
  }

  fail(call: AskedCall, code: string, owner: Owner | undefined, chain: number | undefined): void {
    this.faults.push({ call, code, owner, chain, mount: this.#mount });
  }

  tell(telling: Omit<Telling, "at">): void {
    this.#told.push({ ...telling, at: this.#calls.length });
  }

  faultsOf(owner: Owner): Fault[] {
    return this.faults.filter((fault) => fault.owner === owner);
  }

  /** Precondition: the codes of all faults differ. @returns what is wrong, one line each */
  problems(): string[] {
    const strange = this.#told.filter(({ code }) => !this.faults.some((fault) => fault.code === code));
    return [
      ...strange.map(({ code, by }) => `${by.what} is told ${code}, which has not happened`),
      ...this.faults.flatMap((fault) => this.#problemOf(fault) ?? []),
    ];
  }

  #problemOf(fault: Fault): string | undefined {
    const told = this.#told.filter(({ code }) => code === fault.code);
    const own = told.filter(({ isSync }) => !isSync);
    const bySync = told.filter(({ isSync }) => isSync);
    const isOf = `${fault.code} of ${fault.call.name} ${fault.call.path} (call ${fault.call.nr})`;
    if (own.length > 1) return `${isOf} is told twice`;
    if (own.some(({ by }) => fault.owner !== undefined && by !== fault.owner))
      return `${isOf} is told to ${own[0].by.what}, and is not its`;
    if (bySync.some(({ chain }) => chain !== undefined && fault.chain !== undefined && chain !== fault.chain))
      return `${isOf} is told to one who syncs another file`;
    // An open file tells it once, and so does the file system.
    for (const isFile of [true, false])
      if (bySync.filter(({ chain }) => (chain !== undefined) === isFile).length > 1)
        return `${isOf} is told twice by syncs`;
    // A file's fsync is told what it has met itself, and then so is the file system's.
    const isMet = bySync.some(({ by }) => by === fault.owner);
    if (bySync.length > 0 && !isMet && !this.#isForSync(fault))
      return `${isOf} is told by a sync, which has nothing to do with it`;
    if (told.length === 0 && !this.#isExcused(fault)) return `nobody is told ${isOf}`;
    return undefined;
  }

  /** Of what is written back, and of fsync itself, all are told who sync. */
  #isForSync({ call }: Fault): boolean {
    return SYNCS.includes(call.name) || this.#isWriteBack(call);
  }

  #isExcused(fault: Fault): boolean {
    const { owner } = fault;
    if (this.#isForSync(fault)) return this.#isReplaced(fault) || this.#isToldWith(fault) || this.#isCounted(owner);
    if (owner?.isAborted) return true;
    return this.#isAskedAgain(fault) || this.#isKnown(fault) || this.#isBesideEffect(fault);
  }

  /** Nobody is left to be told by umount: files that it could not write are counted. */
  #isCounted(owner: Owner | undefined): boolean {
    if (owner?.nrCounted === undefined) return false;
    const files = this.faultsOf(owner).flatMap(({ call }) => (this.#isWriteBack(call) ? call.inos : []));
    return owner.nrCounted >= new Set(files).size;
  }

  /** An errseq holds the last error: whoever syncs the file system then is told of a later one. */
  #isReplaced({ call, mount }: Fault): boolean {
    return this.faults.some(
      (later) =>
        later.mount === mount &&
        later.call.nr > call.nr &&
        this.#told.some(({ code, chain, isSync }) => isSync && chain === undefined && code === later.code),
    );
  }

  /** A sync of the file system tells one error, of however many files it could not write, or others could not meanwhile. */
  #isToldWith(fault: Fault): boolean {
    return this.#told.some(({ by, chain, code, isSync, at }) => {
      const isOfIt = ({ owner, call: { nr } }: Fault): boolean =>
        owner === by || (by.since !== undefined && by.since <= nr && nr <= at);
      const isTold = isSync && chain === undefined && isOfIt(fault);
      return isTold && this.faults.some((other) => other.code === code && isOfIt(other));
    });
  }

  /** The same call has asked again, and hears that answer: a page that could not be read ahead, a glance at a whole path. */
  #isAskedAgain({ call, owner }: Fault): boolean {
    return this.#calls.slice(call.nr).some((later) => {
      const isSame = later.name === call.name || (isLook(later) && isLook(call));
      return isSame && isAboutSame(later, call) && this.#owners.get(later.nr) === owner;
    });
  }

  /**
   * Who writes the file back has looked at it during the same call, or within the clock's tick before: that is believed, and a
   * walk to it is not needed.
   */
  #isKnown({ call, owner }: Fault): boolean {
    const isWalk = (one: AskedCall): boolean => one.path.startsWith(`${call.path}/`);
    if (!(isLook(call) || call.name === "open") || owner === undefined) return false;
    const writeBacks = new Set(this.#calls.filter((one) => this.#isWriteBack(one)).map(({ work }) => work));
    return this.#calls.some(
      (one) =>
        isLook(one) &&
        (isAboutSame(one, call) || isWalk(one)) &&
        one.work !== call.work &&
        writeBacks.has(one.work) &&
        (this.#owners.get(one.nr) === owner || (one.nr < call.nr && call.nr - one.nr < CALLS_PER_TICK)) &&
        !this.faults.some((fault) => fault.call === one),
    );
  }

  /**
   * A look at a file before or after the same work has changed it: the change is told as made, and what is known of the file is
   * asked for anew.
   */
  #isBesideEffect({ call }: Fault): boolean {
    if (!isLook(call)) return false;
    const isOfIt = (one: AskedCall): boolean => one.work === call.work && !isLook(one) && isAboutSame(one, call);
    const ofIt = this.#calls.filter((one) => one === call || isOfIt(one));
    const at = ofIt.indexOf(call);
    return [ofIt[at - 1], ofIt[at + 1]].some((one) => one !== undefined && EFFECTS.includes(one.name));
  }

  #isWriteBack({ name }: AskedCall): boolean {
    return this.#cache === "writeback" && name === "writev";
  }
}

function isLook({ name }: AskedCall): boolean {
  return LOOKS.includes(name);
}

/** By whichever name; by its name, where there is nothing. */
function isAboutSame(a: AskedCall, b: AskedCall): boolean {
  return a.inos.length === 0 ? a.path === b.path : a.inos.some((ino) => b.inos.includes(ino));
}
