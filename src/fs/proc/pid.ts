/**
 * Numbers of tasks. A task gets the next number of its kernel when proc first has to name it or one that is younger, the first
 * task 1; numbers are not given again. They live beside the tasks, in JavaScript, and are in no snapshot.
 *
 * Does not own: tasks (vfs/task.ts), which have no numbers of their own.
 *
 * @see Linux kernel/pid.c
 */
import type { Kernel } from "../../vfs/kernel.ts";
import type { Task } from "../../vfs/task.ts";

interface Numbers {
  last: number;
  readonly of: WeakMap<Task, number>;
}

const numbersOfKernel = new WeakMap<Kernel, Numbers>();

/** Numbers those that have none, oldest first. */
function numbersOf(kernel: Kernel): Numbers {
  const numbers = numbersOfKernel.get(kernel) ?? { last: 0, of: new WeakMap() };
  numbersOfKernel.set(kernel, numbers);
  for (const task of kernel.tasks()) if (!numbers.of.has(task)) numbers.of.set(task, ++numbers.last);
  return numbers;
}

/** The number of a task that lives. @returns 0 for one that has ended, or for none */
export function taskPid(kernel: Kernel, task: Task | undefined): number {
  return (task?.kernel === kernel && numbersOf(kernel).of.get(task)) || 0;
}

/** The task of a number, if it lives. @see Linux find_task_by_pid_ns() */
export function findTaskByPid(kernel: Kernel, pid: number): Task | undefined {
  const { of } = numbersOf(kernel);
  for (const task of kernel.tasks()) if (of.get(task) === pid) return task;
  return undefined;
}

/** Numbers of all tasks that live, in ascending order. */
export function livePids(kernel: Kernel): number[] {
  const { of } = numbersOf(kernel);
  return [...kernel.tasks()].map((task) => of.get(task) as number).sort((a, b) => a - b);
}
