# Runs as the first process of a guest: mounts what every system has mounted, runs the tests, hands the result over.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8
unset CI
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /tmp && chmod 1777 /tmp
mount -t tmpfs tmpfs /run
mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm && chmod 1777 /dev/shm
mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
printf '/checkout/src\n/checkout/site\n' > "$(echo /usr/lib/python3/dist-packages)/guest.pth"
cd /checkout && /usr/bin/python3 tests/kernels/inside.py "$@" 2>&1
sync
echo o > /proc/sysrq-trigger
sleep 60
