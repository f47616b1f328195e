# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest as a QEMU command: which kernel, which accelerator, which disks."""

import ctypes
import os
import re
import signal
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("COHORT_CACHE", "/var/cache/cohort")
BUILD = os.environ.get("COHORT_BUILD", os.path.join(TREE, "build"))
KVM_PROBE_SECONDS = 15

KERNEL_ARGS = (
    "console=ttyS0 panic=-1 panic_on_warn=1 oops=panic "
    "sysctl.kernel.hung_task_panic=1 sysctl.kernel.softlockup_panic=1 "
    "sysctl.kernel.panic_on_rcu_stall=1 sysctl.kernel.watchdog_thresh=30 "
    "rcupdate.rcu_cpu_stall_timeout=60 nmi_watchdog=0 random.trust_cpu=on "
    "mitigations=off audit=0 apparmor=0 no_timer_check tsc=reliable "
    "8250.nr_uarts=1 printk.time=1 log_buf_len=4M")


class GuestError(Exception):
    """The guest cannot be started; the text is for the user."""


def installed_kernel(series):
    """The newest installed kernel of a series, as (image, release, module root)."""
    done = subprocess.run([os.path.join(TREE, "selftests/harness/release"), series],
                          stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise GuestError("no %s kernel in /boot; selftests/setup installs it" % series)
    release = done.stdout.decode().strip()
    return "/boot/vmlinuz-" + release, release, "/"


def debug_kernel():
    root = os.path.join(CACHE, "debug-kernel")
    image = os.path.join(root, "vmlinuz")
    try:
        with open(os.path.join(root, "release"), encoding="ascii") as file:
            release = file.read().strip()
        os.stat(image)
    except OSError as error:
        raise GuestError("no debug kernel has been built: %s" % error) from error
    return image, release, root


def find_kernel(name):
    if name == "debug":
        return debug_kernel()
    if name not in ("6.1", "6.12"):
        raise GuestError("--kernel %s: must be 6.1, 6.12 or debug" % name)
    return installed_kernel(name)


def find_module(release, path, wanted):
    path = os.path.abspath(path or os.path.join(BUILD, release, "dm-cohort.ko"))
    if not wanted:
        return ""
    if not os.path.exists(path):
        raise GuestError("%s does not exist; \"make modules\" builds it "
                         "(--no-module runs without)" % path)
    return path


def initramfs(kernel):
    done = subprocess.run([os.path.join(HERE, "initramfs"), *kernel],
                          stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise GuestError("cannot build the initramfs of %s" % kernel[1])
    return done.stdout.decode().strip()


def die_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    os.setsid()


def probe_kvm(image):
    """Boot a kernel without a root under KVM: only its panic proves that guests run."""
    command = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "256",
               "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
               "-kernel", image, "-append", "console=ttyS0 panic=-1"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=KVM_PROBE_SECONDS, preexec_fn=die_with_parent,
                              check=False)
    except subprocess.TimeoutExpired:
        return False
    return b"Kernel panic" in done.stdout


def kvm_works(image):
    """The verdict holds until the next boot of this machine."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    verdict = os.path.join(CACHE, "kvm-" + boot)
    if not os.path.exists(verdict):
        os.makedirs(CACHE, exist_ok=True)
        answer = "yes" if probe_kvm(image) else "no"
        with open(verdict + ".%d" % os.getpid(), "w", encoding="ascii") as file:
            file.write(answer)
        os.rename(file.name, verdict)
    with open(verdict, encoding="ascii") as file:
        return file.read() == "yes"


def split_disk(disk):
    """(kind, name, cache mode, virtio-blk properties) of one --disk, --disk-file or --disk-nbd."""
    kind, text = disk if isinstance(disk, tuple) else ("size", disk)
    name, *rest = text.split(",")
    # A disk that dies with the run needs no flush of the host's own disk.
    cache = "unsafe" if kind == "size" else "writeback"
    for prop in list(rest):
        if prop.startswith("cache="):
            cache = prop.partition("=")[2]
            rest.remove(prop)
    return kind, name, cache, rest


def size_in_bytes(text):
    match = re.fullmatch(r"(\d+)([KMGT]?)", text.upper())
    if not match:
        raise GuestError("--disk %s: not a size" % text)
    return int(match.group(1)) << (10 * " KMGT".index(match.group(2) or " "))


def nbd_source(name):
    path, colon, export = name.rpartition(":")
    if not colon or not os.path.exists(path):
        raise GuestError("--disk-nbd %s: no such socket" % name)
    return ("file.driver=nbd,file.server.type=unix,file.server.path=%s,file.export=%s"
            % (path.replace(",", ",,"), export))


def file_source(path):
    return "file=" + path.replace(",", ",,")


def disk_args(disks, rundir):
    args = []
    for number, disk in enumerate(disks, 1):
        kind, name, cache, props = split_disk(disk)
        if kind == "size":
            path = os.path.join(rundir, "disk%d" % number)
            with open(path, "wb") as file:
                file.truncate(size_in_bytes(name))
            source = file_source(path)
        elif kind == "nbd":
            source = nbd_source(name)
        else:
            path = os.path.abspath(name)
            if not os.path.exists(path):
                raise GuestError("--disk-file %s: does not exist" % name)
            source = file_source(path)
        args += ["-drive", "if=none,id=d%d,format=raw,discard=unmap,cache=%s,%s"
                 % (number, cache, source)]
        args += ["-device", ",".join(["virtio-blk-pci", "drive=d%d" % number,
                                      "serial=cohort-disk%d" % number] + props)]
    return args


def share_args(out):
    args = ["-virtfs", "local,path=/,mount_tag=root,security_model=none,"
            "readonly=on,multidevs=remap"]
    if out:
        args += ["-virtfs", "local,path=%s,mount_tag=out,security_model=none,multidevs=remap"
                 % out.replace(",", ",,")]
    return args


def stream_args(streams):
    args = ["-device", "virtio-serial-pci"]
    for name, sock in streams.items():
        args += ["-chardev", "socket,id=%s,fd=%d" % (name, sock.fileno())]
        if name == "console":
            args += ["-serial", "chardev:console"]
        else:
            args += ["-device", "virtserialport,chardev=%s,name=%s" % (name, name)]
    return args


def takes_turns(args):
    """Do the emulated CPUs take turns on one thread?

    There QEMU 7.2 leaves out what the guest has as memory barriers, also those towards the
    threads that are its disks: now and then one of these misses that it was told of a request,
    or the guest that it has ended. With an event index the two would then wait for ever; without
    one the next request brings it to light, and the guest's "beat" sees to it that there is one.
    """
    return args.turns or args.icount


def qemu_command(args, kernel, rundir, streams):
    image = kernel[0]
    append = [KERNEL_ARGS, "cohort.run=" + rundir]
    if kvm_works(image):
        accel = ["-accel", "kvm", "-cpu", "host"]
    else:
        # Emulated, a "rep movsb" takes its bytes one by one, and a "crc32" its bits: let no one
        # think they are fast.
        # And behind a cmpxchg16b, QEMU 7.2 now and then leaves what it compared in the flags.
        # Where instructions are counted a "crc32" is one, as on a CPU that is none of QEMU's.
        cpu = "max,la57=off,monitor=off,erms=off,fsrm=off,cx16=off"
        if not args.icount:
            cpu += ",sse4.2=off,pclmulqdq=off"
        accel = ["-accel", "tcg,thread=" + ("single" if takes_turns(args) else "multi"),
                 "-cpu", cpu]
        # What QEMU 7.2 translated is found again at the same virtual address only.
        append.append("norandmaps")
        if args.icount:
            accel += ["-icount", "shift=0,sleep=off"]
    if takes_turns(args):
        accel += ["-global", "virtio-device.event_idx=off"]
    if args.kernel == "6.12":
        append.append("kfence.sample_interval=100")
    append.append(args.append)
    return ["qemu-system-x86_64", *accel, "-M", "q35", "-smp", str(args.cpus), "-m", args.mem,
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", image, "-initrd", initramfs(kernel), "-append", " ".join(append),
            *stream_args(streams), *share_args(args.out), *disk_args(args.disks, rundir)]
