#!/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# Process 1 of a guest (see boot.sh): mounts the machine's files, runs /command in them, tells its exit status, ends.
busybox=/busybox
for dir in proc sys dev machine writes root; do $busybox mkdir -p /$dir; done
$busybox mount -t proc proc /proc
$busybox mount -t devtmpfs dev /dev
while read -r module; do $busybox insmod "$module"; done </modules.order

$busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro machine /machine
$busybox mount -t tmpfs writes /writes
$busybox mkdir /writes/upper /writes/work
$busybox mount -t overlay -o lowerdir=/machine,upperdir=/writes/upper,workdir=/writes/work overlay /root

$busybox mount -t proc proc /root/proc
$busybox mount -t sysfs sys /root/sys
$busybox mount -t bpf bpf /root/sys/fs/bpf
$busybox mount -t devtmpfs dev /root/dev
$busybox mount -t tmpfs run /root/run
$busybox mkdir -p /root/dev/shm /root/run/netns /root/run/lock /root/lib/modules
$busybox mount -t tmpfs shm /root/dev/shm
$busybox mount --bind "/root$($busybox cat /kernel)/lib/modules" /root/lib/modules

# For the kernel, which looks for it here, and for the command, which looks for it there.
$busybox ln -s /busybox /modprobe
$busybox ln -s /root/lib /lib
echo /modprobe >/proc/sys/kernel/modprobe
$busybox mkdir /root/run/bin
$busybox cp /busybox /root/run/bin/modprobe
$busybox cp /command /root/run/command

$busybox stty -F /dev/ttyS1 raw -echo
$busybox chroot /root /bin/bash -c 'exec /usr/bin/setsid /bin/bash /run/command' </dev/null >/dev/ttyS1 2>&1
echo $? >/dev/ttyS2
$busybox stty -F /dev/ttyS1 sane # which waits until all is out
$busybox poweroff -f
