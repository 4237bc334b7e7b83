/**
 * How a tree is asked for names: at once where it answers at once; else the call waits, and is made again when the answer is
 * there.
 *
 *   one question at a time    who asks what is being asked already waits for the same answer
 *   a call that waits         keeps its answers, and finds them each time that it is made again
 *   a synchronous call        gets EAGAIN; the answer is kept for the next one that asks, once
 *   invalidation              what was asked before it is asked again
 *
 * Does not own: contents, which come by pages (lazy-pages.ts).
 */
import { EAGAIN, EIO } from "../../base/errno.ts";
import type { Progress } from "../../mm/progress.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { LazyMount } from "./lazy-mount.ts";
import type { LazyCall } from "./lazy-tree.ts";

/** Answers that are kept for synchronous calls; the oldest go first. */
const MAX_UNHEARD = 1024;

/** Something that a tree has been asked. */
export interface Question {
  /** The mount's when it was asked. */
  readonly epoch: number;
  readonly token: Promise<void>;
  /** undefined until it has been answered. */
  answer: object | number | undefined;
  /** Is there a synchronous call that has not been able to wait? */
  isForSync: boolean;
}

/** What calls that may wait have asked. */
const heard = new WeakMap<Progress, Map<string, Question>>();

function heardBy(progress: Progress): Map<string, Question> {
  const known = heard.get(progress) ?? new Map<string, Question>();
  heard.set(progress, known);
  return known;
}

/** Is it what a promise is? */
export function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | undefined)?.then === "function";
}

/**
 * Asks a tree.
 *
 * @param key tells the question from every other
 * @param path what it is about, for who is told of errors
 * @param ask puts the question to the tree
 * @param check makes an answer of what the tree says; what it throws is an error as the tree's own
 * @returns the answer; a negated errno; -EAGAIN with a wait token
 */
export function askTree<T, R extends object>(
  kernel: Kernel,
  mount: LazyMount,
  key: string,
  path: string,
  ask: (call: LazyCall) => T | PromiseLike<T>,
  check: (value: T) => R | number | PromiseLike<R | number>,
): R | number {
  const known = knownAnswer(kernel, mount, key);
  if (known !== undefined) return known as R | number;
  const underWay = mount.asked.get(key);
  if (underWay?.epoch === mount.epoch) return waitFor(kernel, key, underWay);
  if (mount.isGivingUp) return -EIO;
  const call = mount.call(kernel.mayWait);
  let answer: R | number | Promise<R | number>;
  try {
    answer = kernel.nested(() => {
      const said = ask(call);
      if (isPromiseLike(said)) return mount.settled(said, path, check);
      const checked = check(said);
      return isPromiseLike(checked) ? mount.settled(checked, path, (late) => late) : checked;
    });
  } catch (error) {
    return mount.failed(error, path);
  }
  return answer instanceof Promise ? waitFor(kernel, key, newQuestion(mount, key, answer)) : answer;
}

function newQuestion(mount: LazyMount, key: string, answer: Promise<object | number>): Question {
  const token = answer.then((said) => {
    question.answer = said;
    if (mount.asked.get(key) === question) mount.asked.delete(key);
    if (!question.isForSync || question.epoch !== mount.epoch) return;
    mount.unheard.delete(key);
    mount.unheard.set(key, question);
    for (const oldest of mount.unheard.keys()) {
      if (mount.unheard.size <= MAX_UNHEARD) break;
      mount.unheard.delete(oldest);
    }
  });
  const question: Question = { epoch: mount.epoch, token, answer: undefined, isForSync: false };
  mount.asked.set(key, question);
  return question;
}

/** What has been asked before, and answered, for the call that is being made. */
function knownAnswer({ progress }: Kernel, mount: LazyMount, key: string): object | number | undefined {
  const question = progress === undefined ? mount.unheard.get(key) : heardBy(progress).get(key);
  if (progress === undefined) mount.unheard.delete(key);
  return question?.epoch === mount.epoch ? question.answer : undefined;
}

function waitFor(kernel: Kernel, key: string, question: Question): number {
  if (kernel.progress === undefined) question.isForSync = true;
  else heardBy(kernel.progress).set(key, question);
  kernel.setWaitToken(question.token);
  return -EAGAIN;
}
