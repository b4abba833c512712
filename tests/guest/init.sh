#!/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# Process 1 of a guest (see boot.sh): makes the machine's files its root, runs the command, tells its exit status, ends.
busybox=/busybox

mount_machine() {
  for folder in proc dev machine writes whole; do $busybox mkdir -p /$folder; done
  $busybox mount -t proc proc /proc
  $busybox mount -t devtmpfs dev /dev
  while read -r module; do $busybox insmod "$module"; done </modules.order
  $busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro machine /machine
  $busybox mount -t tmpfs writes /writes
  $busybox mkdir /writes/upper /writes/work
  $busybox mount -t overlay -o lowerdir=/machine,upperdir=/writes/upper,workdir=/writes/work overlay /whole
}

# A root folder as a started system has it, but for /run, which is ours.
furnish() {
  $busybox mount -t proc proc /whole/proc
  $busybox mount -t sysfs sys /whole/sys
  $busybox mount -t bpf bpf /whole/sys/fs/bpf
  $busybox mount -t devtmpfs dev /whole/dev
  $busybox ln -s /proc/self/fd /whole/dev/fd
  $busybox mkdir /whole/dev/shm
  $busybox mount -t tmpfs shm /whole/dev/shm
  $busybox mount -t tmpfs run /whole/run
  $busybox mkdir -p /whole/run/netns /whole/run/lock /whole/run/bin /whole/lib/modules
  $busybox mount --bind "/whole$($busybox cat /kernel)/lib/modules" /whole/lib/modules
  $busybox cp /busybox /init /command /whole/run/
  $busybox ln -s ../busybox /whole/run/bin/modprobe
  echo /run/bin/modprobe >/proc/sys/kernel/modprobe # of whom the kernel asks modules
}

# The first serial line is the kernel's.
run_command() {
  $busybox stty -F /dev/ttyS1 raw -echo
  $busybox setsid /bin/bash /run/command </dev/null >/dev/ttyS1 2>&1
  echo $? >/dev/ttyS2
  $busybox stty -F /dev/ttyS1 sane # which waits until all is out
  $busybox poweroff -f
}

if [ "${1:-}" = run ]; then
  busybox=/run/busybox
  run_command
else
  mount_machine
  furnish
  exec $busybox switch_root /whole /run/busybox sh /run/init run
fi
