package sandbox

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_LOONGARCH64

var closedHere [0]uint16
